"""Reads a multipart form (RFC 7578) that is in memory: finds its parts, and copies none of them.

For handlers, whose ``Event.body`` is complete. Parsers of streams, such as werkzeug's, copy a file twice and have to
handle a boundary that arrives in two pieces. In a body that is complete the boundaries only have to be found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from werkzeug.http import parse_options_header

MAX_PARTS = 2000  # a form may have a field for each of a thousand labels
# What werkzeug parses takes up to half a second for a megabyte, and twice as much in longer pieces.
MAX_DISPOSITION_BYTES = 1 << 10
MAX_DISPOSITIONS_BYTES = 1 << 15  # of all parts together, equal ones counted once and short ones as ``_LEAST``
_LEAST = 64
MAX_HEADERS_BYTES = 1 << 13
MAX_ALL_HEADERS_BYTES = 1 << 18  # of all parts together

_DISPOSITION = re.compile(rb"(?:\A|\r\n)content-disposition[ \t]*:([^\r\n]*)", re.IGNORECASE)
_BINARY = re.compile(rb"(?:\A|\r\n)content-type[ \t]*:[ \t]*(?:image/|application/octet-stream)", re.IGNORECASE)
# What may follow a boundary. No part may contain the boundary (RFC 2046, 5.1.1), so anything else is an error.
_REST_OF_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r\n|\Z)")


class HeadersTooLarge(ValueError):
    """A part has more headers than a part, or all parts together, may have."""


@dataclass(frozen=True)
class Part:
    """One field of a form; a file if it has a ``filename``, which may be empty. ``content`` is a view of the body.

    What says that it is a picture, or bytes of any kind, is a file without a name.
    """

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
        HeadersTooLarge: the headers of a part, or of all parts together, are over their bounds.
        ValueError: it is not a complete form, or has more than ``MAX_PARTS`` parts.
    """
    boundary = parse_options_header(content_type)[1].get("boundary", "").encode("ascii")
    if not boundary:
        raise ValueError("the Content-Type names no boundary")
    view = memoryview(body)
    room, parsed, parts = MAX_ALL_HEADERS_BYTES, _Dispositions(), []
    for (_, begin), (end, _) in pairwise(_delimiters(body, b"\r\n--" + boundary)):
        blank = _end_of_headers(body, begin, end, room)
        room -= blank - begin
        headers = body[begin:blank]
        name, filename = parsed.of(headers)
        if filename is None and _BINARY.search(headers):
            filename = ""
        parts.append(Part(name, filename, view[blank + 4 : end]))
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


def _end_of_headers(body: bytes, begin: int, end: int, room: int) -> int:
    """Where the empty line is that ends the headers of the part; ``room`` is what all headers may still take."""
    last = begin + min(room, MAX_HEADERS_BYTES)
    # Where the content is empty, the line break before the delimiter may be all that follows the headers.
    blank = body.find(b"\r\n\r\n", begin, min(end + 2, last))
    if blank == -1 and end > last:
        raise HeadersTooLarge(
            "the headers of a part of the form do not end, or are too long: "
            f"{MAX_HEADERS_BYTES:,} bytes are accepted, and {MAX_ALL_HEADERS_BYTES:,} in all parts"
        )
    if blank == -1:
        raise ValueError("a part of the form has no headers")
    return blank


class _Dispositions:
    """Parses the parts' Content-Disposition, each different one once."""

    def __init__(self) -> None:
        self._parsed: dict[bytes, tuple[str, str | None]] = {}
        self._room = MAX_DISPOSITIONS_BYTES

    def of(self, headers: bytes) -> tuple[str, str | None]:
        """The name and the file name in a part's headers."""
        found = _DISPOSITION.search(headers)
        if found is None:
            raise ValueError("a part of the form has no name")
        value = found[1]
        if value not in self._parsed:
            self._room -= max(len(value), _LEAST)
            if len(value) > MAX_DISPOSITION_BYTES or self._room < 0:
                raise HeadersTooLarge(
                    "the names in the form are too long: a Content-Disposition may have "
                    f"{MAX_DISPOSITION_BYTES:,} bytes, those of all parts {MAX_DISPOSITIONS_BYTES:,}"
                )
            options = parse_options_header(value.decode("utf-8", "replace"))[1]
            if "name" not in options:
                raise ValueError("a part of the form has no name")
            self._parsed[value] = options["name"], options.get("filename")
        return self._parsed[value]
