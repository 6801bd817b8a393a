"""A multipart form (RFC 7578) whose bytes are in memory: where its parts lie, without a copy of any of them.

Parsers for streams, such as werkzeug's, copy a file twice, and have to guess what a piece that ends in the middle of a
boundary is the beginning of; for a body that is here as a whole, looking for the boundary is all there is to do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from werkzeug.http import parse_options_header

MAX_PARTS = 2000  # a thousand labels may come in as many fields
MAX_HEADER_BYTES = 1 << 15
_MAX_HEADERS_BYTES = 1 << 19  # of all parts together: werkzeug reads them at five megabytes a second

# What may follow the boundary. RFC 2046 (5.1.1) keeps it out of every part's content: anything else is an error.
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r\n|\Z)")


@dataclass(frozen=True)
class Part:
    """One field of a form, or, with a `filename` (it may be empty), one file; `content` is a view of the body."""

    name: str
    filename: str | None
    content: memoryview

    def text(self) -> str:
        """The content of a field."""
        return str(self.content, "utf-8", "replace")


def is_form(content_type: str) -> bool:
    return parse_options_header(content_type)[0] == "multipart/form-data"


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The parts of a form, in their order. `content_type` is the header, with the boundary.

    Raises ValueError for what is no complete form, and for one of more than `MAX_PARTS` parts.
    """
    boundary = parse_options_header(content_type)[1].get("boundary", "").encode("ascii")
    if not boundary:
        raise ValueError("the Content-Type names no boundary")
    view = memoryview(body)
    parts, room = [], _MAX_HEADERS_BYTES
    for (_, begin), (end, _) in pairwise(_delimiters(body, b"\r\n--" + boundary)):
        parts.append(_part(body, view, begin, end, room))
        room -= end - begin - len(parts[-1].content)
    return parts


def _delimiters(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Where each delimiter begins and ends, up to the closing one."""
    # The first one has no line break before it, unless there is a preamble.
    start = -2 if body.startswith(delimiter[2:]) else body.find(delimiter)
    for _ in range(MAX_PARTS + 1):
        if start == -1:
            raise ValueError("the form has no end")
        rest = _REST_OF_DELIMITER.match(body, start + len(delimiter))
        if rest is None:
            raise ValueError("the boundary stands where no part begins or ends")
        yield start, rest.end()
        if rest[1]:
            return
        start = body.find(delimiter, rest.end())
    raise ValueError(f"the form has more than {MAX_PARTS} parts")


def _part(body: bytes, view: memoryview, begin: int, end: int, room: int) -> Part:
    # Where the content is empty, the line break before the delimiter may be all that follows the header.
    blank = body.find(b"\r\n\r\n", begin, min(end + 2, begin + min(room, MAX_HEADER_BYTES)))
    if blank == -1:
        raise ValueError("a part of the form has no header, or too long a one")
    for line in body[begin:blank].decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            options = parse_options_header(value)[1]
            if "name" in options:
                return Part(options["name"], options.get("filename"), view[blank + 4 : end])
    raise ValueError("a part of the form has no name")
