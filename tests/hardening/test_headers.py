"""Headers of any length and content cost no more than milliseconds, and their floods hurt nobody."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest
import requests

from server.headers import MAX_HEADER_BYTES, MAX_LONG_HEADER_BYTES, bounded
from tests.functions import clip, serving
from tests.hardening.attacks import CLIENTS, connection, endure
from tests.hardening.bystander import PATIENCE, PERIOD, Flood, Seen
from tests.launch import PROJECT, Running
from tests.pictures import encoded, photo
from tests.template.wire import answer, exchange, status_and_error

PHOTO = encoded(photo((96, 64)), "JPEG")
SECONDS = 2.0
"""Duration of a flood."""
MOST = 0.02
"""Seconds of processor time that the headers of one request may cost the server's process."""

LIBRARIES = ["werkzeug.sansio.request", "werkzeug.wrappers.request", "werkzeug.wsgi", "werkzeug.routing.map"]
LIBRARIES += ["flask.wrappers", "flask.app", "waitress.parser", "waitress.task"]
OWN = ["template/python3/server/*.py", "frontend/index/*.py", "backend/clip/*.py", "backend/clip/api/*.py"]
FRAMING = {"Content-Length", "Transfer-Encoding", "Connection", "Expect"}
"""What cannot have just any value in a request that is read to its end."""
ALONE = {"Host", "Content-Encoding", "Content-Type"}
"""What makes an answer of the server's own, or another one of the handler's: nobody looks at the other headers then."""

POSTED = {"Accept", "Content-Type"}
"""What only a request with a photo has read."""

FILLS = [" ", ",", ";", '"', "=", "a/b,", "a/b;q=", ";a=b", 'W/"a",', "\\", "a*0*=b;"]
SHAPES = [("", ""), ("a/b", "x"), ('a/b;c="', ""), ("multipart/form-data; boundary=", "\x01")]


def names() -> list[str]:
    """The names of the headers that the code or its libraries read, as their sources have them."""
    libraries = [Path(str(import_module(name).__file__)) for name in LIBRARIES]
    text = "".join(path.read_text(encoding="utf-8") for path in libraries)
    text += "".join(path.read_text(encoding="utf-8") for pattern in OWN for path in PROJECT.glob(pattern))
    read = re.findall(r'headers(?:\.get|\.getlist|\.pop)?[(\[]"([A-Za-z_-]+)"', text)
    read += re.findall(r'^ +"([A-Z][A-Za-z-]+)",$', libraries[0].read_text(encoding="utf-8"), re.MULTILINE)
    read += [*re.findall(r'"HTTP_([A-Z_]+)"', text), "X-Call-Id", "Traceparent"]
    return sorted({name.replace("_", "-").title() for name in read} - FRAMING)


def fits(headers: dict[str, str]) -> bool:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return bounded(f"GET / HTTP/1.1\r\n{lines}".encode("latin-1"))[1]


def longest(name: str, fill: str, shape: tuple[str, str]) -> str:
    """The longest value of this header."""
    most = max(size for size in (MAX_HEADER_BYTES, MAX_LONG_HEADER_BYTES) if fits({name: "a" * size}))
    prefix, suffix = shape
    return prefix + (fill * most)[: most - len(prefix) - len(suffix)] + suffix


def requests_at_the_bound() -> Iterator[bytes]:
    """Requests with values of every shape in all headers, as many at a time as a request may have."""
    for fill, shape in product(FILLS, SHAPES):
        group: dict[str, str] = {}
        for name in names():
            one = {name: longest(name, fill, shape)}
            if name in POSTED:
                yield raw("POST", one, PHOTO)
            if name in ALONE:
                yield raw("POST", one, b"nothing")
            elif fits({**group, **one, "Host": "test", "Content-Length": "10000"}):
                group |= one
            else:
                yield raw("GET", group)
                group = one
        yield raw("GET", group)


def raw(method: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    every = {"Host": "test", "Content-Length": str(len(body))} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"{method} / HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def status(client: socket.socket, request: bytes) -> int:
    """The status of the answer to a request; what follows is the next one's."""
    client.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        block = client.recv(65536)
        assert block, "closed without an answer"
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        missing -= len(client.recv(65536))
    return int(head.split()[1])


def processor_time(program: Running) -> float:
    """Seconds that the threads of the server's process have run."""
    tasks = Path(f"/proc/{program.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


def cost(program: Running, request: bytes) -> float:
    """The seconds of processor time of one request."""
    with closing(connection(program.url)) as client:
        before = processor_time(program)
        assert status(client, request) in {200, 304, 400, 401, 415, 422, 431}
        return processor_time(program) - before


@pytest.fixture(scope="module")
def index(application: Running) -> Iterator[Running]:
    with serving("index", gateway_url=application.url) as program:
        yield program


@pytest.fixture(scope="module")
def recognizer() -> Iterator[Running]:
    with clip() as program:
        yield program


@pytest.fixture(params=["recognizer", "index"])
def function(request: pytest.FixtureRequest) -> Running:
    program: Running = request.getfixturevalue(request.param)
    return program


class Thrift:
    """Requires of requests to one program that their headers cost hardly anything."""

    def __init__(self, program: Running) -> None:
        self._program = program
        self._plain: dict[bytes, float] = {}

    def require(self, request: bytes, plain: bytes) -> None:
        """``plain`` is the same request without the headers."""
        # The best of several, beside each other: on a busy machine the same work takes more.
        for _ in range(12):
            alone = self._plain.pop(plain, None) or cost(self._program, plain)
            more = cost(self._program, request) - alone
            if more < MOST:
                self._plain[plain] = alone
                return
        pytest.fail(f"{more * 1000:.0f} ms: {request[:200]!r}")


def test_headers_at_the_bound_are_read_in_milliseconds(function: Running) -> None:
    thrift = Thrift(function)
    for request in requests_at_the_bound():
        thrift.require(request, raw("POST", {}, PHOTO) if request.endswith(PHOTO) else raw("GET", {}))


LONG = {
    "spaces in Accept": {"Accept": "a/b" + " " * 60_000 + "x"},
    "types in Accept": {"Accept": "a/b," * 60_000},
    "parameters in Content-Type": {"Content-Type": "a/b" + ";a=b" * 60_000},
    "spaces before a value": {"A": " " * 60_000 + "x"},
    "tags": {"If-None-Match": 'W/"a",' * 10_000},
    "names": {f"a{number}": "" for number in range(6_000)},
    "spaces in Accept, several times": dict.fromkeys(("Accept", "ACCEPT", "accept", "aCCEPT"), "a/b" + " " * 300 + "x"),
    "a key": {"Authorization": "Bearer " + "k" * 10_000},
}


@pytest.mark.parametrize("name", LONG)
def test_longer_headers_are_refused(name: str, function: Running) -> None:
    for method, body in (("GET", b""), ("POST", PHOTO)):
        with closing(connection(function.url)) as client:
            client.sendall(raw(method, LONG[name], body))
            assert status_and_error(answer(client)) == (431, "headers_too_large")


@pytest.mark.parametrize("headers", [{"Content-Length": "9" * 5000}, {"Transfer-Encoding": "chunked," * 1000}])
def test_framing_that_is_longer_is_refused(headers: dict[str, str], function: Running) -> None:
    assert status_and_error(exchange(function, raw("POST", headers))) == (431, "headers_too_large")


@pytest.mark.parametrize("line", ["GET a://" + "0" * 200_000 + " x", "GET " + "a " * 100_000, "a" * 200_000])
def test_a_start_line_that_makes_no_sense_costs_nothing(line: str, function: Running) -> None:
    before = processor_time(function)
    assert status_and_error(exchange(function, line.encode() + b"\r\n\r\n")) == (400, "bad_request")
    assert processor_time(function) - before < 5 * MOST


def flood_of_headers(program: Running) -> Flood:
    requests = [
        raw(method, headers, body) for headers in LONG.values() for method, body in (("GET", b""), ("POST", PHOTO))
    ]

    def attack(number: int) -> Seen:
        exchange(program, requests[number % len(requests)])
        return Seen("answered", 0)

    return Flood(CLIENTS, attack)


def form(headers: Callable[[int], bytes], count: int) -> bytes:
    parts = (b"--b\r\n" + headers(number) + b"\r\n\r\nx\r\n" for number in range(count))
    return b"".join(parts) + b"--b--\r\n"


def disposition(rest: bytes) -> bytes:
    return b"Content-Disposition: form-data; " + rest


FORMS = {
    "one name a thousand times": form(lambda _: disposition(b'name="labels"'), 2000),
    "many names": form(lambda number: disposition(b"name=%d" % number), 2000),
    "continued names": form(lambda number: disposition(b"name=%d; " % number + b"a*0*=b;" * 130), 500),
    "long headers": form(lambda _: b"a\r\n" * 2_000 + disposition(b"name=a"), 80),
    "a header without an end": b"--b\r\n" + b"a: b\r\n" * 1_000_000,
}


@pytest.mark.parametrize("name", FORMS)
def test_headers_of_a_forms_parts_are_read_in_milliseconds(name: str, function: Running) -> None:
    request = raw("POST", {"Content-Type": "multipart/form-data; boundary=b"}, FORMS[name])
    Thrift(function).require(request, raw("POST", {}, bytes(len(FORMS[name]))))


def test_floods_of_headers_hurt_no_photo(recognizer: Running) -> None:
    bystander = endure(recognizer.url, flood_of_headers(recognizer), SECONDS)
    bystander.require_unharmed()


def test_floods_of_headers_hurt_no_visitor(index: Running) -> None:
    took: list[float] = []
    with flood_of_headers(index):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            begun = time.monotonic()
            assert requests.get(index.url, timeout=20).status_code == 200
            took.append(time.monotonic() - begun)
            time.sleep(PERIOD)
    assert max(took) < PATIENCE


def test_what_is_within_the_bounds_reaches_the_handler(recognizer: Running) -> None:
    headers = {
        "Cookie": "a=" + "b" * 8_000,
        "X-Forwarded-For": "10.0.0.1, " * 700,
        "Accept": f"text/plain{' ' * 1_000}",
    }
    answered = requests.post(recognizer.url, data=PHOTO, headers=headers, timeout=30)
    assert answered.status_code == 200
    assert answered.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(("length", "refused"), [(250_000, False), (270_000, True)])
def test_a_long_query_is_not_a_header(length: int, refused: bool, recognizer: Running) -> None:
    answered = requests.post(recognizer.url, params={"labels": "x" * length}, data=PHOTO, timeout=30)
    assert (answered.status_code == 431) is refused
