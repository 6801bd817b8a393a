"""local/gateway.py, through a real gateway and real functions."""

import gzip
import http.client
import json
import os
import re
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from local.protocol import MAX_HEADER_BYTES
from tests.launch import Running, local, wait_for
from tests.local.stacks import write_stack
from tests.template.wire import connect, exchange, status_and_error

ECHO = "/function/echo/echo"


def test_bodies_pass_untouched_in_both_directions(gateway: Running) -> None:
    for size in (0, 1, 70_000, 20_000_000):
        body = os.urandom(size)
        for data in (body, iter([body[: size // 2], body[size // 2 :]])):
            assert requests.post(gateway.url + ECHO, data=data).content == body


def test_what_a_function_answers_arrives_as_it_is(gateway: Running) -> None:
    own = {"Content-Encoding": "gzip", "Location": "/elsewhere", "Set-Cookie": "a=b", "X-Own": "c"}
    result = f"{{'statusCode': 302, 'body': b'not gzip', 'headers': {own}}}"
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"))
    with closing(connection):
        connection.request("POST", "/function/echo/result", body=result)
        answer = connection.getresponse()
        assert answer.status == 302
        assert answer.read() == b"not gzip"
        assert own.items() <= dict(answer.headers).items()
    assert "Cookie" not in requests.get(f"{gateway.url}/function/echo/event").json()["headers"]


@pytest.mark.parametrize(
    ("sent", "path", "query"),
    [
        ("", "/", {}),
        ("/", "/", {}),
        ("?a=1&a=2", "/", {"a": ["1", "2"]}),
        ("/event?q=%26%3D%2F%20+x", "/event", {"q": ["&=/  x"]}),
        ("/a%20b/%C3%A4/c/?x", "/a b/ä/c/", {"x": [""]}),
        ("/function/echo", "/function/echo", {}),
        ("/..", "/..", {}),
        ("/ä?labels=猫,犬&x=ü y".replace(" ", "%20"), "/ä", {"labels": ["猫,犬"], "x": ["ü y"]}),
    ],
)
def test_the_rest_of_the_path_and_the_query_are_passed_on(
    gateway: Running, sent: str, path: str, query: dict[str, list[str]]
) -> None:
    head = f"GET /function/echo{sent} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Show-Event: 1\r\n\r\n"
    seen = json.loads(exchange(gateway, head.encode()).partition(b"\r\n\r\n")[2])
    assert (seen["path"], seen["query"]) == (path, query)


def test_a_query_that_is_no_text_at_all_breaks_nothing(gateway: Running) -> None:
    head = b"GET /function/echo/event?labels=\xff\xe7,a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    seen = json.loads(exchange(gateway, head).partition(b"\r\n\r\n")[2])
    assert seen["query"] == {"labels": ["%FF%E7,a"]}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"nonsense\r\n\r\n", (400, "bad_request")),
        (b"\x16\x03\x01\x00\xff\r\n\r\n", (400, "bad_request")),
        (b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", (400, "bad_request")),
        (b"GET /a HTTP/9\r\n\r\n", (400, "bad_request")),
        (b"POST /function/echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n", (400, "bad_request")),
        (
            b"POST /function/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: a-miracle\r\n\r\n",
            (417, "expectation_failed"),
        ),
        (b"PUT /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 200-ok\r\n\r\n", (417, "expectation_failed")),
        (b"M@IL / HTTP/1.1\r\nHost: x\r\n\r\n", (400, "bad_request")),
        (b"GET /?" + b"a" * MAX_HEADER_BYTES + b" HTTP/1.1\r\n\r\n", (431, "headers_too_large")),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * MAX_HEADER_BYTES + b"\r\n\r\n", (431, "headers_too_large")),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else None,
)
def test_its_own_errors_are_json_too(gateway: Running, request_: bytes, expected: tuple[int, str]) -> None:
    assert status_and_error(exchange(gateway, request_)) == expected
    assert requests.post(gateway.url + ECHO, data=b"still here").content == b"still here"


def test_a_body_that_is_compressed_stays_so(gateway: Running) -> None:
    body = gzip.compress(b"a photo" * 1000)
    assert requests.post(gateway.url + ECHO, data=body).content == body
    refused = requests.post(gateway.url + ECHO, data=body, headers={"Content-Encoding": "gzip"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "unsupported_encoding")


def test_headers_of_the_platform_are_added(gateway: Running) -> None:
    answer = requests.get(f"{gateway.url}/function/echo/event", headers={"X-Custom": "1"})
    seen = answer.json()["headers"]
    assert seen["X-Custom"] == "1"
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Host"] == gateway.url.removeprefix("http://")
    assert abs(int(seen["X-Start-Time"]) / 1e9 - time.time()) < 60
    assert uuid.UUID(seen["X-Call-Id"])
    assert answer.headers["X-Call-Id"] == seen["X-Call-Id"]
    assert float(answer.headers["X-Duration-Seconds"]) > 0
    assert "X-Start-Time" in answer.headers


def test_the_callers_own_headers_of_that_kind_are_kept(gateway: Running) -> None:
    own = {"X-Call-Id": "mine", "X-Forwarded-For": "10.1.2.3", "X-Forwarded-Host": "example.org"}
    answer = requests.get(f"{gateway.url}/function/echo/event", headers=own)
    assert own.items() <= answer.json()["headers"].items()
    assert answer.headers["X-Call-Id"] == "mine"


def test_hop_by_hop_headers_stay_behind(gateway: Running) -> None:
    own = {"Connection": "keep-alive, X-Private", "X-Private": "1", "TE": "trailers", "Proxy-Authorization": "x"}
    seen = requests.get(f"{gateway.url}/function/echo/event", headers=own).json()["headers"]
    assert not {"Connection", "X-Private", "Te", "Proxy-Authorization"} & set(seen)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_all_methods(gateway: Running, method: str) -> None:
    assert requests.request(method, f"{gateway.url}/function/echo/event").json()["method"] == method


def test_a_method_in_small_letters_is_answered_in_json(gateway: Running) -> None:
    raw = exchange(gateway, b"get /function/nobody HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status_and_error(raw) == (404, "not_found")


def test_head(gateway: Running) -> None:
    answer = requests.head(f"{gateway.url}/function/echo/event")
    assert answer.status_code == 201
    assert int(answer.headers["Content-Length"]) > 0
    assert answer.content == b""


def test_a_long_query(gateway: Running) -> None:
    labels = ",".join(f"label number {n}" for n in range(1000))
    seen = requests.get(f"{gateway.url}/function/echo/event", params={"labels": labels}).json()
    assert seen["query"]["labels"] == [labels]


def test_a_function_may_be_named_with_its_namespace(gateway: Running) -> None:
    assert requests.post(f"{gateway.url}/function/echo.openfaas-fn/echo", data=b"x").content == b"x"


def test_a_function_calls_another_over_the_gateway(gateway: Running) -> None:
    assert requests.post(f"{gateway.url}/function/caller", data=b"through both").content == b"through both"


@pytest.mark.parametrize("path", ["/", "/function/", "/function/nobody", "/function/nobody/echo", "/system/info"])
@pytest.mark.parametrize("method", ["GET", "POST", "BREW"])
def test_unknown_functions_and_paths_are_404_in_json(gateway: Running, path: str, method: str) -> None:
    answer = requests.request(method, gateway.url + path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert "echo" in answer.json()["error"]["message"]


def test_the_address_of_the_gateway_leads_to_the_page(application: Running) -> None:
    answer = requests.get(f"{application.url}/")
    assert answer.url == f"{application.url}/function/index"
    assert answer.headers["Content-Type"].startswith("text/html")
    assert requests.head(f"{application.url}/").headers["Location"] == "/function/index"
    assert requests.post(f"{application.url}/", b"a photo").status_code == 404


def test_a_request_that_takes_too_long_is_504(gateway: Running) -> None:
    answer = requests.get(f"{gateway.url}/function/echo/slow?seconds=3")
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "gateway_timeout"


def test_an_upload_that_stalls_is_ended_in_time(gateway: Running) -> None:
    with closing(connect(gateway)) as sock:
        sock.sendall(b"POST /function/echo/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        assert sock.recv(65536).startswith(b"HTTP/1.1 504 ")


def test_more_than_max_inflight_is_429_as_the_watchdog_says_it(gateway: Running) -> None:
    with ThreadPoolExecutor(12) as clients:
        answers = list(
            clients.map(lambda _: requests.get(f"{gateway.url}/function/echo/slow?seconds=1"), range(12)),
        )
    assert {answer.status_code for answer in answers} == {200, 429}
    assert sum(answer.status_code == 200 for answer in answers) == 4
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.text == "Concurrent request limit exceeded. Max concurrent requests: 4\n"
    assert refused.headers["Content-Type"].startswith("text/plain")
    assert requests.post(gateway.url + ECHO, data=b"again").content == b"again"


def test_a_client_that_asks_first_is_told_to_continue(gateway: Running) -> None:
    head = b"POST /function/echo/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    with closing(connect(gateway)) as sock:
        sock.sendall(head)
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_body_over_the_functions_limit_is_its_413(gateway: Running) -> None:
    for data in (bytes(40_000_000), iter([bytes(1_000_000)] * 40)):
        answer = requests.post(gateway.url + ECHO, data=data)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "body_too_large"


def test_clients_that_go_away_free_their_place(gateway: Running) -> None:
    head = b"POST /function/echo/slow?seconds=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
    elsewhere = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
    for part in (head, head + b"ab", head + b"abc", elsewhere, b"GET /\x00 HTTP/1.1\r\n\r\n"):
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(closing(connect(gateway))).sendall(part)
            time.sleep(0.2)
    wait_for(lambda: requests.post(gateway.url + ECHO, data=b"free").content == b"free", gateway.output, 10)
    assert "Traceback" not in "".join(line for line in gateway.output().splitlines() if not line.startswith("echo | "))


WAITS = """
import time

def handle(event, context):
    while event.path == "/wait" and not context.abandoned():
        time.sleep(0.01)
    return {"body": "done"}
"""


@pytest.mark.parametrize("body", [b"", b"abc"])
def test_a_function_learns_that_its_caller_has_gone(tmp_path: Path, body: bytes) -> None:
    stack = write_stack(tmp_path, echo=WAITS)
    stack.write_text(stack.read_text().replace("exec_timeout: 2s", "exec_timeout: 120s"))
    head = b"POST /function/echo/wait HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with local("-f", str(stack)) as program:
        for _ in range(6):  # one and a half times as many as there are places
            with ExitStack() as callers:
                for _ in range(4):
                    callers.enter_context(closing(connect(program))).sendall(head + body)
                wait_for(lambda: requests.get(f"{program.url}/function/echo").status_code == 429, program.output)
            wait_for(lambda: requests.get(f"{program.url}/function/echo").ok, program.output, seconds=20)
        assert "Traceback" not in program.output()


@pytest.mark.parametrize("value", [b"\xff\xfe", b"\x80" * 100, "é€".encode(), b"x" * 60_000])
def test_strange_header_values_break_nothing(gateway: Running, value: bytes) -> None:
    for name in (b"X-Odd", b"X-Call-Id", b"X-Forwarded-For"):
        raw = exchange(
            gateway,
            b"GET /function/echo/event HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + name
            + b": "
            + value
            + b"\r\n\r\n",
        )
        assert re.match(rb"HTTP/1.1 (201|400|431) ", raw), raw[:300]


def test_it_listens_on_this_computer_only(gateway: Running) -> None:
    port = int(gateway.url.rpartition(":")[2])
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", port))  # free on every other address
