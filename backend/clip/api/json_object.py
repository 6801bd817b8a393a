"""Reads request bodies in JSON, which may come from strangers, within limits.

Only images may be large. So the text beside them is bounded before anything is parsed, and the strings that only an
image can be stay where they are in the body.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadParameter
from ..limits import MAX_IMAGES, MAX_JSON_TEXT_BYTES, MAX_TEXT_CHARACTERS

_START = 64
# JSON takes up to twelve bytes for a character, so no text that is accepted is longer than this.
_MAX_TEXT = 12 * MAX_TEXT_CHARACTERS
_DATA_URI = re.compile(rb' {0,9}data:[^\s",]{0,200},', re.IGNORECASE)
# How much is looked at in one call, during which no other thread runs.
_FIRST_PIECE, _PIECE = 64, 1 << 16
_MAX_DIGITS = 20
# All that base64 can have in JSON. Where an escape is none of these, a backslash is left, which no base64 has.
_ESCAPES = (
    *((rb"\/", b"/"), (rb"\n", b" "), (rb"\r", b" "), (rb"\t", b" ")),
    *(
        (rb"\u002b", b"+"),
        (rb"\u002B", b"+"),
        (rb"\u002f", b"/"),
        (rb"\u002F", b"/"),
        (rb"\u003d", b"="),
        (rb"\u003D", b"="),
    ),
)
_LONGEST_ESCAPE = 6
_WHITE_SPACE = (b"\n", b"\r", b"\t", b"\v", b"\f")


@dataclass(frozen=True)
class LongString:
    """A string that only an image can be, as it stands in the body. Nothing has looked at its characters yet."""

    body: bytes = field(repr=False)
    start: int
    end: int
    has_escapes: bool

    def is_data_uri(self) -> bool:
        """Whether it begins like one; if not, it is longer than any text."""
        return _DATA_URI.match(self.body, self.start) is not None

    def base64(self) -> bytes | memoryview:
        """Its characters if it is base64; if it is not, the result is not either. A view where it has no escapes.

        Raises:
            BadParameter: it has a line break or a tab, which JSON must escape.
        """
        if any(self.body.find(character, self.start, self.end) >= 0 for character in _WHITE_SPACE):
            raise _invalid()
        return b"".join(self._unescaped()) if self.has_escapes else memoryview(self.body)[self.start : self.end]

    def _unescaped(self) -> Iterator[bytes]:
        at = self.start
        while at < self.end:
            piece = self.body[at : min(at + _PIECE, self.end)]
            half = piece.rfind(b"\\", 1 - _LONGEST_ESCAPE)
            if half > 0 and at + _PIECE < self.end:
                piece = piece[:half]
            at += len(piece)
            for escape, character in _ESCAPES:
                if b"\\" not in piece:
                    break
                piece = piece.replace(escape, character)
            yield piece


def is_object(body: bytes) -> bool:
    """Whether the body begins like a JSON object, which no image and no base64 of one does."""
    return body[:_START].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def read_object(
    body: bytes, images: str, places: Callable[[dict[str, Any]], Collection[Any]] | None = None
) -> dict[str, Any]:
    """Read a JSON object. All strings in it can be encoded as UTF-8.

    Args:
        body: as it came.
        images: the name of the image, or of an array with images among others. Where the body has over
            ``MAX_JSON_TEXT_BYTES``, data URIs there, and what is longer than any text, are of type ``LongString``.
        places: what is to be found in the object where images may be, each place once, whatever the object has
            there; without it, what has the name ``images``.

    Raises:
        BadParameter: it is not a JSON object by RFC 8259, has a name twice, a number of too many digits, too much text
            beside its images or too many of these, a long string elsewhere, or is nested too deeply.
    """
    try:
        text, long_strings = _without_long_strings(body) if len(body) > MAX_JSON_TEXT_BYTES else (body, [])
        # NaN stands for each long string: it is not JSON, and one that a caller has written is one too many.
        found = iter(long_strings)
        value = json.loads(
            text.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=lambda _: _next(found),
            parse_int=_integer,
            parse_float=_float,
        )
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False, default=lambda _: None).encode()  # fails for half of a surrogate pair
    except RecursionError as error:
        raise BadParameter("The JSON is nested too deeply.") from error
    except ValueError as error:  # what json and UTF-8 raise
        raise _invalid() from error
    if not isinstance(value, dict):
        raise BadParameter("The JSON must be an object.")
    if places or images in value:
        place = places(value) if places else value[images] if isinstance(value[images], list) else [value[images]]
        if sum(isinstance(each, LongString) for each in place) < len(long_strings):
            raise BadParameter(f"Only an image, in '{images}', may have over {_MAX_TEXT:,} bytes.")
    return value


def require_known(names: Collection[str], known: Collection[str]) -> None:
    """Raise BadParameter for the first name that is not among the ``known`` ones."""
    for name in names:
        if name not in known:
            shown = name if len(name) <= 40 else name[:40] + "…"
            raise BadParameter(f"The JSON may not have '{shown}' there, only: {', '.join(known)}.")


def _without_long_strings(body: bytes) -> tuple[bytes, list[LongString]]:
    """The body with NaN in place of each long string, and these.

    Raises:
        BadParameter: the rest is too long, or they are too many.
        ValueError: a string has no end.
    """
    kept: list[bytes] = []
    found: list[LongString] = []
    length = copied = at = 0
    while (quote := body.find(b'"', at)) >= 0:
        end, has_escapes = _end_of_string(body, quote + 1)
        at = end + 1
        if end - quote > _MAX_TEXT or _DATA_URI.match(body, quote + 1):
            if len(found) == MAX_IMAGES:
                raise BadParameter(f"The JSON has over {MAX_IMAGES} images; at most {MAX_IMAGES} are accepted.")
            found.append(LongString(body, quote + 1, end, has_escapes))
            length += quote - copied
            kept += (body[copied:quote], b"NaN")
            copied = at
        if length + at - copied > MAX_JSON_TEXT_BYTES:
            break
    if length + len(body) - copied > MAX_JSON_TEXT_BYTES:
        raise BadParameter(f"The JSON has over {MAX_JSON_TEXT_BYTES:,} bytes beside its images; send less text.")
    return b"".join((*kept, body[copied:])), found


def _end_of_string(body: bytes, start: int) -> tuple[int, bool]:
    """Where the string's closing quote is, and whether the string has escapes."""
    end = body.find(b'"', start)
    if end >= 0 and body.find(b"\\", start, end) < 0:
        return end, False
    size = _FIRST_PIECE
    while len(piece := body[start : start + size]) > 1:
        unescaped = piece.replace(rb"\\", b"__").replace(rb"\"", b"__")
        end = unescaped.find(b'"')
        if end >= 0:
            return start + end, True
        start += len(piece) - unescaped.endswith(b"\\")  # half of an escape
        size = min(2 * size, _PIECE)
    raise ValueError("a string has no end")


def _next(found: Iterator[LongString]) -> LongString:
    for long_string in found:
        return long_string
    raise ValueError("NaN, Infinity and -Infinity are not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice")
    return value


def _integer(number: str) -> int:
    if len(number) > _MAX_DIGITS:
        _require_few_digits(number)
    return int(number)


def _float(number: str) -> float:
    if len(number) > _MAX_DIGITS:
        _require_few_digits(number)
    return float(number)


def _require_few_digits(number: str) -> None:
    if sum(map(str.isdigit, number)) > _MAX_DIGITS:
        raise BadParameter(f"The JSON has a number of more than {_MAX_DIGITS} digits.")


def _invalid() -> BadParameter:
    return BadParameter("The body is not valid JSON, in UTF-8 and with each name once.")
