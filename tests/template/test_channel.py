"""server/channel.py: limits, broken requests and stalled clients, over a real socket."""

import hashlib
import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import psutil
import pytest
import requests

from tests.launch import Running, wait_for
from tests.template.function import SLOW, Start
from tests.template.wire import answer, connect, exchange, status_and_error

LIMIT = 1_000_000
CHUNKED = b"POST /sha256 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunks(size: int, each: int) -> bytes:
    whole, rest = divmod(size, each)
    one = b"%x\r\n" % each + b"a" * each + b"\r\n"
    return one * whole + (b"%x\r\n" % rest + b"a" * rest + b"\r\n" if rest else b"") + b"0\r\n\r\n"


@pytest.mark.parametrize("each", [10, 1000, 65536])
def test_a_chunked_body_of_exactly_the_limit_is_accepted(function: Running, each: int) -> None:
    raw = exchange(function, CHUNKED.replace(b"Host: x", b"Connection: close"), chunks(LIMIT, each))
    assert raw.endswith(hashlib.sha256(b"a" * LIMIT).hexdigest().encode())


@pytest.mark.parametrize("each", [10, 1000, 65536])
def test_one_byte_more_is_too_large(function: Running, each: int) -> None:
    raw = exchange(function, CHUNKED, chunks(LIMIT + 1, each))
    assert status_and_error(raw) == (413, "body_too_large")


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 30 * LIMIT])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_too_much_receives_the_answer(function: Running, size: int, chunked: bool) -> None:
    body = b"a" * size
    for _ in range(5):
        data = (body[at : at + 100_000] for at in range(0, size, 100_000)) if chunked else body
        answer = requests.post(f"{function.url}/sha256", data=data)
        if size <= LIMIT:
            assert answer.text == hashlib.sha256(body).hexdigest()
        else:
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "body_too_large"
            assert "1,000,000" in answer.json()["error"]["message"]
            assert answer.headers["X-Call-Id"]


def test_the_memory_of_a_body_over_the_limit_is_not_taken(start: Start) -> None:
    with start(max_body_bytes=str(LIMIT)) as program:
        requests.post(f"{program.url}/sha256", data=b"a" * LIMIT)
        before = psutil.Process(program.process.pid).memory_info().rss
        for _ in range(3):
            requests.post(f"{program.url}/sha256", data=iter([b"a" * 65536] * 2000))  # 131 MB
        grown = psutil.Process(program.process.pid).memory_info().rss - before
    assert grown < 20 * LIMIT


def test_a_client_that_asks_first_is_told_to_continue(function: Running) -> None:
    with closing(connect(function)) as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_asks_first_and_has_nothing_to_send_is_answered(function: Running) -> None:
    for length in (b"Content-Length: 0\r\n", b""):
        with closing(connect(function)) as sock:
            sock.settimeout(5)
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" + length + b"\r\n")
            assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_asks_first_with_too_much_is_refused_before_it_sends(function: Running) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (LIMIT + 1)
    with closing(connect(function)) as sock:
        sock.sendall(head)
        assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"nonsense\r\n\r\n", (400, "bad_request")),
        (b"\x00\xff\x16\x03\x01\r\n\r\n", (400, "bad_request")),
        (b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", (400, "bad_request")),
        (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", (400, "bad_request")),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", (400, "bad_request")),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", (413, "body_too_large")),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", (501, "not_implemented")),
        (CHUNKED + b"xyz\r\n", (400, "bad_request")),
        (CHUNKED + b"5\r\nhello!!\r\n", (400, "bad_request")),
        (CHUNKED + b"1;" + b"a" * 5_000_000, (400, "bad_request")),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 1_000_000, (400, "bad_request")),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1_000_000, (431, "headers_too_large")),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else None,
)
def test_broken_requests_get_an_error_in_json(function: Running, request_: bytes, expected: tuple[int, str]) -> None:
    assert status_and_error(exchange(function, request_)) == expected
    assert requests.post(f"{function.url}/echo", data=b"still here").content == b"still here"


def test_clients_that_stall_while_they_send_block_no_others(function: Running) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    with ExitStack() as stack:
        for part in (b"", b"GET /ec", head, head + b"a" * 500_000, CHUNKED + b"ffff\r\nabc") * 20:
            stack.enter_context(closing(connect(function))).sendall(part)
        for _ in range(20):
            assert requests.post(f"{function.url}/echo", data=b"hello", timeout=5).content == b"hello"


def test_clients_that_do_not_read_block_no_others(start: Start) -> None:
    with start(server_threads="2") as program, ExitStack() as stack:
        for _ in range(10):
            sock = stack.enter_context(closing(connect(program)))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(5):
            assert requests.post(f"{program.url}/echo", data=b"hello", timeout=10).content == b"hello"


def test_clients_that_go_away_leave_nothing_behind(function: Running) -> None:
    process = psutil.Process(function.process.pid)
    requests.get(function.url)
    threads, files = process.num_threads(), process.num_fds()
    for part in (b"GET /ec", CHUNKED, CHUNKED + b"5\r\nhe", b"GET /slow?seconds=0.2 HTTP/1.1\r\n\r\n") * 50:
        with closing(connect(function)) as sock:
            sock.sendall(part)
    requests.get(function.url)
    wait_for(lambda: process.num_fds() <= files + 2, lambda: f"{process.num_fds()} descriptors, {files} before", 10)
    assert process.num_threads() == threads


def test_a_broken_request_of_a_client_that_has_gone_is_no_failure_of_the_server(function: Running) -> None:
    before = function.output()
    for _ in range(20):
        with closing(connect(function)) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    requests.get(function.url)
    failures = [line for line in function.output().removeprefix(before).splitlines() if "Traceback" in line]
    assert failures == []


@pytest.mark.parametrize("part", [b"", b"GET /ec"], ids=["idle", "without an end"])
def test_thousands_of_connections_that_ask_nothing_leave_room_for_others(part: bytes, start: Start) -> None:
    with start() as program, ExitStack() as stack, ThreadPoolExecutor(1) as crowd:

        def come() -> None:
            for _ in range(2_000):
                stack.enter_context(closing(connect(program))).sendall(part)

        coming = crowd.submit(come)
        waited: list[float] = []
        while not (done := coming.done()) or len(waited) < 10:
            begun = time.monotonic()
            assert requests.post(f"{program.url}/echo", data=b"hello", timeout=20).content == b"hello"
            waited.append(time.monotonic() - begun)
            time.sleep(0.05 if done else 0.2)
        coming.result()
        assert max(waited) < 2
        assert psutil.Process(program.process.pid).num_fds() < 550


def test_connections_that_are_needed_are_kept_when_thousands_come(start: Start) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
    with start() as program, ExitStack() as stack, ThreadPoolExecutor(1) as clients:
        sending = stack.enter_context(closing(connect(program)))
        sending.sendall(head + b"bo")
        slow = clients.submit(requests.get, f"{program.url}/slow?seconds=3")
        for _ in range(1_200):
            stack.enter_context(closing(connect(program)))
        sending.sendall(b"dy")
        assert answer(sending).endswith(b"body")
        assert slow.result().text == "late"


JUMPING = """
import time

clock = time.time

def handle(event, context):
    if event.path == "/jump":
        seconds = float(event.query["seconds"])
        time.time = lambda: clock() + seconds
    return {"body": event.body}
"""


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_clock_that_is_set_breaks_no_connection(seconds: int, start: Start) -> None:
    with start(JUMPING) as program, closing(connect(program)) as sending, closing(connect(program)) as idle:
        sending.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 30000\r\n\r\n")
        requests.post(program.url, data=b"one of the server's turns")
        requests.get(f"{program.url}/jump?seconds={seconds}")
        for _ in range(15):  # longer than the time after which the server looks for connections that nobody uses
            time.sleep(0.5)
            sending.sendall(bytes(2_000))
            assert requests.post(f"{program.url}/echo", data=b"hello", timeout=5).content == b"hello"
        assert answer(sending).endswith(bytes(30_000))
        idle.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer(idle).startswith(b"HTTP/1.1 200 ")


def test_a_connection_is_used_again(function: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(function.url.rpartition(":")[2]))
    with closing(connection):
        for n in range(5):
            connection.request("POST", "/echo", body=b"%d" % n, headers={"X-Call-Id": f"call-{n}"})
            answer = connection.getresponse()
            assert answer.read() == b"%d" % n
            assert answer.headers["X-Call-Id"] == f"call-{n}"


def test_slow_requests_do_not_hold_up_quick_ones(function: Running) -> None:
    before = function.output().count(SLOW)
    with ThreadPoolExecutor(16) as clients:
        slow = [clients.submit(requests.get, f"{function.url}/slow?seconds=2") for _ in range(16)]
        wait_for(lambda: function.output().count(SLOW) == before + 16, function.output)
        assert requests.post(f"{function.url}/echo", data=b"quick").content == b"quick"
        assert not any(one.done() for one in slow)
        assert [one.result().text for one in slow] == ["late"] * 16
