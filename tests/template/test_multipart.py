"""Forms are taken apart byte by byte as their senders put them together."""

import os
import random
from typing import Any

import pytest
from urllib3.filepost import encode_multipart_formdata

from server.multipart import MAX_PARTS, HeadersTooLarge, is_form, parts_of

KINDS = "multipart/form-data; boundary="


def form(*parts: bytes, boundary: str = "edge", end: bytes = b"--\r\n") -> bytes:
    """A form of parts that are written out: headers, an empty line, content."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + end


def part(headers: bytes, content: bytes = b"content") -> bytes:
    return headers + b"\r\n\r\n" + content


FILE = b'Content-Disposition: form-data; name="photo"; filename="a.jpg"'


@pytest.mark.parametrize("boundary", ["x", "a" * 70, "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a'()+_,-./:=?b", "--"])
def test_random_bytes_of_every_length_come_back(boundary: str) -> None:
    source = random.Random(boundary)
    edge = b"--" + boundary.encode()
    for end in [b"", b"\r", b"\n", b"\r\n", b"\r\n-", b"\r\n--", edge, b"\n" + edge] * 40:
        content = b"\xff" + source.randbytes(source.randrange(200)) + b"\xff" + end
        fields: list[Any] = [
            ("top_k", "3"),
            ("photo", ("a.jpg", content, "image/jpeg")),
            ("labels", "a cat, ein Hund, 猫"),
        ]
        body, content_type = encode_multipart_formdata(fields, boundary)
        found = parts_of(body, f'multipart/form-data; boundary="{boundary}"')
        assert [(part.name, part.filename) for part in found] == [
            ("top_k", None), ("photo", "a.jpg"), ("labels", None),
        ]  # fmt: skip
        assert found[1].content == content
        assert found[2].text() == "a cat, ein Hund, 猫"
        assert is_form(content_type)


def test_nothing_of_a_large_file_is_copied() -> None:
    content = os.urandom(1 << 20)
    body, content_type = encode_multipart_formdata({"photo": ("a.jpg", content)})
    [found] = parts_of(body, content_type)
    assert found.content.obj is body
    assert found.content == content


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"preamble\r\n" + form(part(FILE)), ["photo"]),
        (form(part(FILE)) + b"epilogue", ["photo"]),
        (form(part(FILE), end=b"--"), ["photo"]),
        (form(part(FILE), end=b"-- \t\r\n"), ["photo"]),
        (form(part(b"content-DISPOSITION:form-data; name=photo; filename=a.jpg")), ["photo"]),
        (form(part(b"X-Other: 1\r\n" + FILE + b"\r\nContent-Type: image/jpeg")), ["photo"]),
        (form(part(FILE, b""), part(FILE)), ["photo", "photo"]),
        (form(FILE + b"\r\n"), ["photo"]),  # an empty file without the line break that begins its content
        (form(), []),
    ],
)
def test_what_senders_write_in_different_ways(body: bytes, names: list[str]) -> None:
    found = parts_of(body, KINDS + "edge")
    assert [part.name for part in found] == names
    assert [part.content for part in found if part.content] == [b"content"] * sum(len(p.content) > 0 for p in found)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b'filename="\xe7\x8c\xab.jpg"', "猫.jpg"),
        (b'filename="a%22b.jpg"', 'a"b.jpg'),
        (b'filename="a\\"b.jpg"', 'a"b.jpg'),
        (b"filename*=UTF-8''%e7%8c%ab.jpg", "猫.jpg"),
        (b'filename="a;b.jpg"', "a;b.jpg"),
        (b'filename=""', ""),
        (b'filename="\xff.jpg"', "�.jpg"),
    ],
)
def test_file_names(written: bytes, name: str) -> None:
    [found] = parts_of(form(part(b'Content-Disposition: form-data; name="photo"; ' + written)), KINDS + "edge")
    assert found.filename == name


@pytest.mark.parametrize("kind", [b"image/jpeg", b"IMAGE/heic", b"application/octet-stream; x=y"])
def test_a_part_of_bytes_is_a_file_without_a_name(kind: bytes) -> None:
    field = b'Content-Disposition: form-data; name="photo"'
    for headers in (field + b"\r\nContent-Type: " + kind, b"content-type:" + kind + b"\r\n" + field):
        [found] = parts_of(form(part(headers)), KINDS + "edge")
        assert (found.name, found.filename, bytes(found.content)) == ("photo", "", b"content")
    [text] = parts_of(form(part(field + b"\r\nContent-Type: text/plain; charset=utf-8")), KINDS + "edge")
    assert text.filename is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", KINDS + "edge"),
        (b"nothing of a form", KINDS + "edge"),
        (form(part(FILE)), "multipart/form-data"),
        (form(part(FILE)), KINDS + '""'),
        (form(part(FILE)), KINDS + "another"),
        (form(part(FILE)), "multipart/form-data; boundary*=utf-8''%e7%8c%ab"),
        (form(part(FILE))[:-8], KINDS + "edge"),
        (form(part(FILE))[:20], KINDS + "edge"),
        (form(part(FILE, b"a\r\n--edgeways")), KINDS + "edge"),
        (form(part(b"Content-Type: image/jpeg")), KINDS + "edge"),
        (form(part(b'Content-Disposition: form-data; filename="a.jpg"')), KINDS + "edge"),
        (form(b"no header"), KINDS + "edge"),
        (form(part(FILE + b"\r\nX-Long: " + b"x" * 40_000)), KINDS + "edge"),
        (form(*[part(FILE)] * (MAX_PARTS + 1)), KINDS + "edge"),
    ],
)
def test_what_is_no_form(body: bytes, content_type: str) -> None:
    with pytest.raises(ValueError, match=r"form|boundary|ascii"):
        parts_of(body, content_type)


def test_as_many_parts_as_there_may_be() -> None:
    assert len(parts_of(form(*[part(FILE)] * MAX_PARTS), KINDS + "edge")) == MAX_PARTS


def named(value: bytes) -> bytes:
    return part(b"Content-Disposition: form-data; name=" + value)


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        ([part(FILE + b"\r\nX: " + b"x" * 8_000)], [part(FILE + b"\r\nX: " + b"x" * 8_200)]),
        ([part(FILE + b"\r\nX: " + b"x" * 8_000)] * 32, [part(FILE + b"\r\nX: " + b"x" * 8_000)] * 33),
        ([named(b"x" * 1_000)], [named(b"x" * 1_100)]),
        ([named(b"%d" % n + b"x" * 960) for n in range(32)], [named(b"%d" % n + b"x" * 960) for n in range(40)]),
        ([named(b"%d" % n) for n in range(512)] * 2, [named(b"%d" % n) for n in range(513)]),
    ],
    ids=["a part", "all parts", "a name", "all names", "short names"],
)
def test_headers_have_bounds(within: list[bytes], beyond: list[bytes]) -> None:
    assert len(parts_of(form(*within), KINDS + "edge")) == len(within)
    with pytest.raises(HeadersTooLarge, match="too long"):
        parts_of(form(*beyond), KINDS + "edge")


@pytest.mark.parametrize("repeated", [b"\r\n--x", b"\r\n--x\r\n", b"\r\n--x ", b"\r\n--x   y", b"\r\n\r\n", b"\r\n-"])
def test_no_body_takes_long(repeated: bytes) -> None:
    """Each of 20 MB; a quadratic search would need hours."""
    body = b"--x\r\n" + repeated * (20_000_000 // len(repeated))
    with pytest.raises(ValueError, match=r"form|boundary"):
        parts_of(body, KINDS + "x")
