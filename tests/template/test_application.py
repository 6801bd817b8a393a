"""server/application.py: what a handler sees of a request, and what a caller sees of its result."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.launch import Running
from tests.template.wire import exchange


def test_every_byte_goes_in_and_out_untouched(function: Running) -> None:
    for body in (b"", bytes(range(256)), b"\r\n\r\n0\r\n\r\n", "ÄÖ\u2028🦊".encode(), os.urandom(999_999)):
        for sent in (body, iter([body[:7], body[7:]])):
            answer = requests.post(f"{function.url}/echo", data=sent, headers={"Content-Type": "image/jpeg"})
            assert answer.content == body
            assert answer.headers["Content-Type"] == "application/x-test"


def test_a_form_is_not_parsed(function: Running) -> None:
    answer = requests.post(f"{function.url}/echo", files={"file": b"\xff\xd8"}, data={"name": "value"})
    assert b"\xff\xd8" in answer.content
    assert answer.content.startswith(b"--")


def test_the_event_has_method_path_query_and_headers(function: Running) -> None:
    answer = requests.put(f"{function.url}/event?a=1&a=2&b=%C3%A4+c&empty=", headers={"X-Forwarded-For": "1.2.3.4"})
    assert answer.status_code == 201
    event = answer.json()
    assert event["method"] == "PUT"
    assert event["path"] == "/event"
    assert event["query"] == {"a": ["1", "2"], "b": ["ä c"], "empty": [""]}
    assert event["headers"]["X-Forwarded-For"] == "1.2.3.4"


def test_head_is_get_without_the_body(function: Running) -> None:
    get = requests.get(f"{function.url}/event", headers={"X-Call-Id": "same"})
    head = requests.head(f"{function.url}/event", headers={"X-Call-Id": "same"})
    assert head.status_code == 201
    assert head.content == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    raw = exchange(function, b"HEAD /event HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert raw.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PATCH", "BREW"])
def test_other_methods_are_the_handlers_matter(function: Running, method: str) -> None:
    assert requests.request(method, f"{function.url}/event").json()["method"] == method


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("GET /a//b/", "/a//b/"),
        ("GET /a%0Ab%0A", "/a\nb\n"),
        ("GET http://elsewhere", "/"),
        ("OPTIONS /ready", "/ready"),
        ("POST /ready", "/ready"),
        ("GET /ready/", "/ready/"),
    ],
)
def test_every_path_but_one_is_the_handlers_matter(function: Running, sent: str, path: str) -> None:
    raw = exchange(function, f"{sent} HTTP/1.1\r\nX-Show-Event: yes\r\nConnection: close\r\n\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 201 ")
    assert json.loads(raw.partition(b"\r\n\r\n")[2])["path"] == path


def test_a_request_for_a_web_socket_is_the_handlers_matter(function: Running) -> None:
    answer = requests.get(f"{function.url}/event", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert (answer.status_code, answer.json()["path"]) == (201, "/event")


@pytest.mark.parametrize("path", ["/raise", "/exit"])
def test_a_handler_that_fails_is_a_500_without_detail(function: Running, path: str) -> None:
    answer = requests.get(function.url + path, headers={"X-Call-Id": "failing"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert answer.headers["X-Call-Id"] == "failing"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ("{'body': 'text ä'}", 200, "text ä".encode()),
        ("{'statusCode': 204}", 204, b""),
        ("{'statusCode': '418', 'headers': None, 'body': b'\\xff'}", 418, b"\xff"),
    ],
)
def test_results(function: Running, result: str, status: int, body: bytes) -> None:
    answer = requests.post(f"{function.url}/result", data=result.encode())
    assert (answer.status_code, answer.content) == (status, body)


@pytest.mark.parametrize(
    "result",
    [
        "None",
        "'text'",
        "{'body': 5}",
        "{'body': {}}",
        "{'statusCode': 99, 'body': ''}",
        "{'statusCode': 1000, 'body': ''}",
        "{'statusCode': 'ok', 'body': ''}",
        "{'body': '', 'headers': {'A': 'b\\r\\nC: d'}}",
        "{'body': '', 'headers': {'A\\r\\nC': 'd'}}",
        "{'body': '', 'headers': {'A': '€'}}",
        "{'body': '', 'headers': {'Connection': 'close'}}",
        "{'body': '', 'headers': {'Transfer-Encoding': 'chunked'}}",
        "{'body': 'abc', 'headers': {'Content-Length': '1'}}",
        "{'body': '', 'headers': ['A']}",
    ],
)
def test_a_result_that_is_no_response_is_a_500(function: Running, result: str) -> None:
    answer = requests.post(f"{function.url}/result", data=result.encode())
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"


def test_concurrent_requests_get_their_own_answers(function: Running) -> None:
    bodies = [os.urandom(200_000 + n) for n in range(32)]
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda body: requests.post(f"{function.url}/echo", data=body), bodies))
    assert [answer.content for answer in answers] == bodies
