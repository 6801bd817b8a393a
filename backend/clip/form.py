"""Multipart forms: where in the body their parts lie, so that a file of megabytes is not copied piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import LINE_BREAK_RE, Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from .errors import BodyTooLarge, CorruptImage
from .limits import MAX_LABELS

# 1,000 labels of four bytes a character, each with the lines that a form puts around it, fit in.
MAX_TEXT_BYTES = 1 << 20
MAX_PARTS = MAX_LABELS + 100
_PIECE = 1 << 15
# The decoder's buffer holds a piece, and the headers of a part or a boundary from those before.
_MAX_BUFFER = 2 * _PIECE


@dataclass(frozen=True)
class Part:
    """``body[start:end]`` is what was sent as ``name``."""

    name: str
    is_file: bool
    start: int
    end: int


def parts(body: bytes, boundary: str) -> Iterator[Part]:
    """Find the parts of a form (RFC 7578).

    Raises:
        CorruptImage: this is no such form, or has more than ``MAX_PARTS`` parts.
        BodyTooLarge: it has more than ``MAX_TEXT_BYTES`` beside the contents of its files.
    """
    try:
        yield from _parts(body, boundary.encode("ascii"))
    except (ValueError, HTTPException) as error:
        raise CorruptImage("The multipart form cannot be read.") from error


def _parts(body: bytes, boundary: bytes) -> Iterator[Part]:
    if not boundary:
        raise ValueError("the header names no boundary")
    decoder = MultipartDecoder(boundary, _MAX_BUFFER, max_parts=MAX_PARTS)
    name, is_file, start, size, file_bytes = "", False, 0, 0, 0
    for event, line_break, at in _events(decoder, body):
        if isinstance(event, Field | File):
            name, is_file, start, size = event.name or "", isinstance(event, File), at + line_break, 0
        elif isinstance(event, Data):
            size += len(event.data)
            file_bytes += len(event.data) * is_file
            if not event.more_data:
                yield Part(name, is_file, start, start + size)
        if at - file_bytes > MAX_TEXT_BYTES:
            raise BodyTooLarge(f"The form has more than {MAX_TEXT_BYTES:,} bytes beside its file.")


def _events(decoder: MultipartDecoder, body: bytes) -> Iterator[tuple[Event, int, int]]:
    """What the decoder finds, and what follows in the body: the length of a line break there, or 0, and the place."""
    for piece in range(0, len(body), _PIECE):
        decoder.receive_data(body[piece : piece + _PIECE])
        fed = min(piece + _PIECE, len(body))
        while not isinstance(event := decoder.next_event(), NeedData):
            line_break = LINE_BREAK_RE.match(decoder.buffer)
            yield event, line_break.end() if line_break else 0, fed - len(decoder.buffer)
    decoder.receive_data(None)
    while not isinstance(decoder.next_event(), Epilogue):
        pass  # an unfinished form raises ValueError
