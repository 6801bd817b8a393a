"""server/log.py: each line is one JSON object, under the size at which the watchdog stops to read."""

import json
from typing import Any
from urllib.parse import quote

import requests

from tests.launch import Running, wait_for
from tests.template.wire import exchange


def lines(function: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in function.output().split("\n") if line]


def lines_of(function: Running, call_id: str, count: int) -> list[dict[str, Any]]:
    """Returns the lines with this call id, once there are ``count``."""

    def found() -> list[dict[str, Any]]:
        return [line for line in lines(function) if line.get("call_id") == call_id]

    wait_for(lambda: len(found()) >= count, function.output)
    assert len(found()) == count
    return found()


def test_a_request_is_one_line(function: Running) -> None:
    requests.post(f"{function.url}/echo?secret=1", data=b"12345", headers={"X-Call-Id": "one"})
    [line] = lines_of(function, "one", 1)
    assert line.pop("time").endswith("+00:00")
    assert line.pop("duration_ms") >= 0
    assert line == {
        "level": "info",
        "call_id": "one",
        "method": "POST",
        "path": "/echo",
        "status": 200,
        "bytes_in": 5,
        "bytes_out": 5,
    }


def test_the_code_is_what_the_handler_says_it_is(function: Running) -> None:
    result = b"{'statusCode': 422, 'body': 'not even JSON', 'code': 'of_the_handler'}"
    requests.post(f"{function.url}/result", data=result, headers={"X-Call-Id": "code"})
    [line] = lines_of(function, "code", 1)
    assert (line["status"], line["code"]) == (422, "of_the_handler")


def test_a_failure_has_its_traceback_in_one_line_that_the_watchdog_can_read(function: Running) -> None:
    requests.get(f"{function.url}/raise", headers={"X-Call-Id": "two"})
    failure, request = lines_of(function, "two", 2)
    assert failure["level"] == request["level"] == "error"
    assert failure["traceback"]
    assert (request["status"], request["code"]) == (500, "internal")
    assert max(len(line) for line in function.output().encode().split(b"\n")) < 64 * 1024


def test_the_end_of_a_long_traceback_says_what_happened(function: Running) -> None:
    requests.post(f"{function.url}/result", data=b"1 / 0", headers={"X-Call-Id": "zero"})
    assert "ZeroDivisionError" in lines_of(function, "zero", 2)[0]["traceback"]


def test_what_a_handler_logs_is_json_with_the_call_id(function: Running) -> None:
    requests.get(f"{function.url}/log", headers={"X-Call-Id": "three"})
    logged, warned, _ = lines_of(function, "three", 3)
    assert logged["message"] == "from the handler"
    assert "a warning\nof two lines" in warned["message"]


def test_hostile_paths_cannot_forge_lines(function: Running) -> None:
    path = b'/%0a{"level":"forged"}%00%ff%e2%80%a8' + b"%0a" * 20_000
    exchange(function, b"GET " + path + b" HTTP/1.1\r\nX-Call-Id: four\r\nConnection: close\r\n\r\n")
    [line] = lines_of(function, "four", 1)
    assert line["path"].startswith('/\n{"level":"forged"}')
    assert len(line["path"]) <= 1000


def test_what_steers_a_terminal_or_turns_the_writing_is_escaped(function: Running) -> None:
    odd = "".join(map(chr, [*range(0x7F, 0xA0), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F)]))
    odd += "".join(map(chr, [*range(0x2060, 0x2070), 0xFEFF, 0xFFF9, 0xE0001, 0xE0020]))
    path = "/猫 é 🐈" + odd
    requests.get(function.url + quote(path), headers={"X-Call-Id": "odd"})
    [line] = lines_of(function, "odd", 1)
    assert line["path"] == path
    [written] = [text for text in function.output().split("\n") if '"odd"' in text]
    assert written.isprintable()
    assert "猫 é 🐈" in written


def test_broken_requests_are_logged(function: Running) -> None:
    exchange(function, b"POST /x HTTP/1.1\r\nX-Call-Id: five\r\nContent-Length: 99999999\r\n\r\n")
    [line] = lines_of(function, "five", 1)
    assert line["status"] == 413
    assert line["path"] == "/x"


def test_being_asked_whether_it_is_ready_is_not_logged(function: Running) -> None:
    requests.get(f"{function.url}/ready")
    requests.get(function.url, headers={"X-Call-Id": "after"})
    lines_of(function, "after", 1)
    assert not any(line.get("path") == "/ready" for line in lines(function))
