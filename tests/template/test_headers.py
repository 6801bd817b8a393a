"""server/headers.py: which headers reach a handler, and how."""

import pytest
import requests

from server.headers import MAX_HEADER_BYTES, MAX_HEADERS_BYTES, MAX_LONG_HEADER_BYTES
from tests.launch import Running
from tests.template.wire import exchange, status_and_error

REFUSED = (431, "headers_too_large")


def answer_to(function: Running, *lines: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in ("GET /event HTTP/1.1", "Host: x", "Connection: close", *lines))
    return exchange(function, f"{head}\r\n".encode("latin-1"))


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("Accept", MAX_HEADER_BYTES),
        ("Content-Type", MAX_HEADER_BYTES),
        ("Origin", MAX_HEADER_BYTES),
        ("Traceparent", MAX_HEADER_BYTES),
        ("Nobody-Knows-This", MAX_HEADER_BYTES),
        ("Authorization", MAX_LONG_HEADER_BYTES),
        ("cookie", MAX_LONG_HEADER_BYTES),
        ("X-Own", MAX_LONG_HEADER_BYTES),
    ],
)
def test_a_header_has_a_bound(name: str, most: int, function: Running) -> None:
    assert b"a" * most in answer_to(function, f"{name}: {'a' * most}")
    assert status_and_error(answer_to(function, f"{name}: {'a' * (most + 1)}")) == REFUSED


def test_lines_of_one_name_count_together(function: Running) -> None:
    line = "a" * (MAX_HEADER_BYTES // 2)
    assert f"{line}, {line}".encode() in answer_to(function, f"Accept: {line}", f"accept: {line}")
    assert status_and_error(answer_to(function, f"Accept: {line}", f"accept: {line}", "ACCEPT: a")) == REFUSED


def test_all_headers_have_a_bound(function: Running) -> None:
    lines = [f"X-{number:03}: {'a' * 900}" for number in range(MAX_HEADERS_BYTES // 910)]
    assert answer_to(function, *lines).startswith(b"HTTP/1.1 201 ")
    assert status_and_error(answer_to(function, *lines, *lines[:1])) == REFUSED


def test_white_space_around_a_value_is_not_part_of_it(function: Running) -> None:
    said = answer_to(function, f"Accept:{' ' * 4_000}a/b\t ", "X-Folded: a", f"{' ' * 400}b")
    assert b'"Accept": "a/b"' in said
    assert b'"X-Folded": "a b"' in said


def test_a_refused_request_is_read_to_its_end(function: Running) -> None:
    with requests.Session() as session:
        refused = session.post(f"{function.url}/echo", data=bytes(900_000), headers={"Accept": "a" * 2_000})
        assert (refused.status_code, refused.json()["error"]["code"]) == REFUSED
        assert "1,024" in refused.json()["error"]["message"]
        assert refused.headers["X-Call-Id"]
        assert session.post(f"{function.url}/echo", data=b"next").content == b"next"


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "deflate, gzip", "identity, gzip"])
@pytest.mark.parametrize("body", [b"compressed", [b"in ", b"chunks"]])
def test_a_compressed_body_is_refused_by_name(encoding: str, body: bytes | list[bytes], function: Running) -> None:
    data = body if isinstance(body, bytes) else iter(body)
    refused = requests.post(f"{function.url}/echo", data=data, headers={"Content-Encoding": encoding})
    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "unsupported_encoding")
    assert "compressed" in refused.json()["error"]["message"]
    assert refused.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_a_body_that_is_not_compressed_passes(encoding: str, function: Running) -> None:
    answer = requests.post(f"{function.url}/echo", data=b"plain", headers={"Content-Encoding": encoding})
    assert answer.content == b"plain"
