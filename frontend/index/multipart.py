"""Reads a multipart form (RFC 7578) that is in memory: finds its parts, and copies none of them.

Both functions have this module; in ``backend/clip`` it is a link, which faas-cli follows. Parsers of streams, such as
werkzeug's, copy a file twice and have to handle a boundary that arrives in two pieces. In a body that is complete the
boundaries only have to be found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from werkzeug.http import parse_options_header

MAX_PARTS = 2000  # a form may have a field for each of a thousand labels
MAX_HEADER_BYTES = 1 << 15
_MAX_HEADERS_BYTES = 1 << 19  # of all parts together: werkzeug reads them at five megabytes a second

# What may follow a boundary. No part may contain the boundary (RFC 2046, 5.1.1), so anything else is an error.
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r\n|\Z)")


@dataclass(frozen=True)
class Part:
    """One field of a form; a file if it has a ``filename``, which may be empty. ``content`` is a view of the body."""

    name: str
    filename: str | None
    content: memoryview

    def text(self) -> str:
        """The content of a field."""
        return str(self.content, "utf-8", "replace")


def is_form(content_type: str) -> bool:
    return parse_options_header(content_type)[0] == "multipart/form-data"


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The parts of a form, in their order.

    Args:
        body: the whole form.
        content_type: the header, which names the boundary.

    Raises:
        ValueError: it is no complete form, or has more than ``MAX_PARTS`` parts.
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
    """Where each delimiter begins and ends, including the closing one."""
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
