"""server/trace.py: the call id and the trace of a request, for its handler and its log."""

import re
import uuid

import pytest
import requests

from tests.launch import Running
from tests.template.test_log import lines_of
from tests.template.wire import exchange

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_call_id_of_the_caller_is_used_and_returned(function: Running) -> None:
    answer = requests.get(f"{function.url}/event", headers={"X-Call-Id": "abc-123"})
    assert answer.headers["X-Call-Id"] == answer.json()["call_id"] == "abc-123"


def test_without_a_call_id_each_request_gets_its_own(function: Running) -> None:
    ids = {requests.get(f"{function.url}/event").headers["X-Call-Id"] for _ in range(3)}
    assert len({uuid.UUID(one) for one in ids}) == 3


@pytest.mark.parametrize("sent", [b"\xff\xfe<>", b'"}\x01{', b"x" * 100_000, b"a\tb", "é€".encode()])
def test_a_hostile_call_id_is_made_harmless(function: Running, sent: bytes) -> None:
    raw = exchange(function, b"GET /event HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Call-Id: " + sent + b"\r\n\r\n")
    found = re.search(rb"\r\nX-Call-Id: (.*)\r\n", raw)
    assert found is not None
    assert re.fullmatch(rb"[A-Za-z0-9._:-]{1,64}", found[1])


def test_the_trace_of_the_caller_is_the_handlers_and_is_in_the_log(function: Running) -> None:
    sent = {"traceparent": TRACE, "X-Call-Id": "traced"}

    assert requests.get(f"{function.url}/event", headers=sent).json()["traceparent"] == TRACE
    requests.get(f"{function.url}/raise", headers=sent)
    requests.post(f"{function.url}/echo", data=bytes(1_000_001), headers=sent)

    found = lines_of(function, "traced", 4)
    assert [line["traceparent"] for line in found] == [TRACE] * 4
    assert [line.get("code") for line in found] == [None, None, "internal", "body_too_large"]


@pytest.mark.parametrize(
    "sent",
    [
        "",
        TRACE.upper(),
        TRACE[:-1],
        TRACE + "0",
        "ff" + TRACE[2:],
        "00-" + "0" * 32 + TRACE[35:],
        TRACE[:36] + "0" * 16 + "-01",
        TRACE + ", " + TRACE,
        '{"a": 1}',
        "x" * 1_000,
    ],
)
def test_what_is_no_traceparent_is_left_out(sent: str, function: Running) -> None:
    call_id = str(uuid.uuid4())

    answer = requests.get(f"{function.url}/event", headers={"traceparent": sent, "X-Call-Id": call_id})

    assert answer.json()["traceparent"] == ""
    assert "traceparent" not in lines_of(function, call_id, 1)[0]
