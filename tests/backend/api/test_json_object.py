"""Untrusted JSON."""

import json
import time
import tracemalloc

import pytest

from backend.clip.api.json_object import LongString, is_object, read_object, require_known
from backend.clip.errors import BadParameter


def test_an_object_is_read_in_utf_8() -> None:
    body = '\ufeff {"a": [1, -2.5e3, "Ä \\u00e4 \\ud83c\\udf4e", null, true], "b": {"a": ""}}\n'.encode()

    assert is_object(body)
    assert read_object(body, "image") == {"a": [1, -2500.0, "Ä ä 🍎", None, True], "b": {"a": ""}}


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
        read_object(body, "image")


def filled(start: bytes, unit: bytes, end: bytes, size: int = 32 << 20) -> bytes:
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


@pytest.mark.parametrize(
    ("start", "unit", "end", "words"),
    [
        *((b'{"a":[', value, b"0]}", "beside its images") for value in (b"{},", b"[],", b"0,", b'"",', b'{"a":0},')),
        (b'{"a":[', b"9" * 4299 + b",", b"0]}", "beside its images"),
        (b'{"a":', b"9", b"}", "beside its images"),
        (b'{"a":', b" ", b"0}", "beside its images"),
        (b'{"a":', b"[", b"", "beside its images"),
        (b"{", b'"\\"":"",', b'"":""}', "beside its images"),
        (b'{"image":0,"labels":["', b"a b ", b'"]}', "Only an image"),
        (b'{"image":0,"labels":["', "日 本 ".encode(), b'"]}', "Only an image"),
        (b'{"image":0,"x":"', b'\\"', b'"}', "Only an image"),
        (b'{"image":0,"x":"', b"\\\\", b'"}', "Only an image"),
        (b'{"image":"","x":"data:,', b"\\u0041", b'"}', "Only an image"),
        (b'{"', b"a", b'":0}', "not valid JSON"),
        (b'{"image":"', b"a", b"", "not valid JSON"),
        (b'{"image":"', b'\\"', b"", "not valid JSON"),
        (b'{"image":[', b'"data:,",', b'""]}', "over 64 images"),
    ],
)
def test_a_body_that_is_not_an_image_takes_neither_time_nor_memory(
    start: bytes, unit: bytes, end: bytes, words: str
) -> None:
    body = filled(start, unit, end)
    begun = time.thread_time()
    with pytest.raises(BadParameter, match=words):
        read_object(body, "image")
    assert time.thread_time() - begun < 2

    tracemalloc.start()
    with pytest.raises(BadParameter, match=words):
        read_object(body, "image")
    assert tracemalloc.get_traced_memory()[1] < 1 << 21
    tracemalloc.stop()


@pytest.mark.parametrize("unit", [b"A", b"\\/", b"\\u002b"])
def test_an_image_stays_where_it_is_in_the_body(unit: bytes) -> None:
    body = filled(b'{"a":"x","image":["data:;base64,', unit, b'","b"],"c":"y"}', 1 << 20)
    value = read_object(body, "image")

    [image, text] = value.pop("image")
    assert value == {"a": "x", "c": "y"}
    assert text == "b"
    assert isinstance(image, LongString)
    assert image.is_data_uri()
    assert bytes(image.base64()) == json.loads(body)["image"][0].encode()


def test_escapes_beside_an_image_do_not_touch_it() -> None:
    body = filled(b'{"image":"', b"A", b'","a":"\\u00e4"}')
    tracemalloc.start()
    assert read_object(body, "image")["a"] == "ä"
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    with pytest.raises(BadParameter, match="not valid JSON"):
        read_object(body.replace(b"00e4", b"d800"), "image")


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_stands_for_an_image_is_not_taken_from_a_caller(constant: bytes) -> None:
    image = filled(b'"', b"A", b'"', 300_000)
    for body in (b'{"image":%b,"a":%b}' % (image, constant), b'{"a":%b,"image":%b}' % (constant, image)):
        with pytest.raises(BadParameter, match="not valid JSON"):
            read_object(body, "image")


@pytest.mark.parametrize("number", [b"123456789012345678901", b"-1.23456789012345678901", b"1e123456789012345678901"])
def test_numbers_of_many_digits(number: bytes) -> None:
    assert read_object(b'{"a": -12345678901234567890, "b": -1.2345678901234567e-308}', "image")
    with pytest.raises(BadParameter, match="more than 20 digits"):
        read_object(b'{"a": %b}' % number, "image")


def test_names_that_are_not_known() -> None:
    require_known({"a": 1}, ("a", "b"))
    with pytest.raises(BadParameter, match=r"'c' there, only: a, b\."):
        require_known({"a": 1, "c": 2}, ("a", "b"))
