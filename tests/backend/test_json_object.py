"""Untrusted JSON."""

import time
import tracemalloc

import pytest

from backend.clip.errors import BadParameter
from backend.clip.json_object import is_object, read_object, require_known


def test_an_object_is_read_in_utf_8() -> None:
    body = '\ufeff {"a": [1, -2.5e3, "Ä \\u00e4 \\ud83c\\udf4e", null, true], "b": {"a": ""}}\n'.encode()

    assert is_object(body)
    assert read_object(body) == {"a": [1, -2500.0, "Ä ä 🍎", None, True], "b": {"a": ""}}


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff\xd8\xff", b"/9j/", b" " * 64 + b"{}", b'"{}"'])
def test_what_is_no_object_does_not_begin_like_one(body: bytes) -> None:
    assert not is_object(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 01}',
        b'{"a": NaN}',
        b'{"a": [-Infinity]}',
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b'{"a": "\\ud800"}',
        b'{"\\udc00": 1}',
        b'{"a": "\xff"}',
        b'{"a": "\x00"}',
        b'{"a": "\\x41"}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 90_000 + b"]" * 90_000 + b"}",
        b'{"a": ' * 90_000 + b"1" + b"}" * 90_000,
        b'{"a": ' + b"[" * 90_000,
        b"[{}]",
        b"5",
        b"null",
    ],
)
def test_what_is_no_object_or_can_be_read_in_two_ways(body: bytes) -> None:
    with pytest.raises(BadParameter, match=r"JSON.*\.$"):
        read_object(body)


@pytest.mark.parametrize("value", [b"{},", b"[],", b"0,", b'"",', b'{"a":0},'])
def test_a_body_made_of_values_takes_neither_time_nor_memory(value: bytes) -> None:
    body = b'{"a":[' + value * ((32 << 20) // len(value)) + b"0]}"
    tracemalloc.start()
    start = time.thread_time()

    with pytest.raises(BadParameter, match="too many values"):
        read_object(body)

    assert time.thread_time() - start < 2
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_names_that_are_not_known() -> None:
    require_known({"a": 1}, ("a", "b"))
    with pytest.raises(BadParameter, match=r"'c' there, only: a, b\."):
        require_known({"a": 1, "c": 2}, ("a", "b"))
