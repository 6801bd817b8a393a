"""Reads request bodies: an image, raw, in base64 or as a data URI, or a multipart form with one or several images."""

import base64
import binascii
import re
from dataclasses import dataclass

from werkzeug.http import parse_options_header

from server import multipart

from ..errors import BadParameter, BodyTooLarge, CorruptImage, EmptyBody, HeadersTooLarge, UnsupportedImage
from ..limits import MAX_IMAGE_BYTES, MAX_IMAGES
from ..photos.formats import FORMATS, sniff
from .advice import lost_line_breaks, on_a_field, on_no_image
from .parameters import PARAMETERS

_DATA_URI = re.compile(rb"\s*data:[^,]{0,200};base64,", re.IGNORECASE)
_WHITE_SPACE = b" \t\n\r\v\f"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_BASE64_SAMPLE = 64
_START = 512
# How much base64 is decoded in one call: no other thread runs meanwhile, and as much is copied.
_PIECE = 1 << 18
# The limit for a form without its files: 1,000 labels of four bytes a character fit in, each as a field.
_MAX_TEXT_BYTES = 1 << 20


@dataclass(frozen=True)
class Payload:
    files: tuple[bytes | memoryview, ...]
    """At least one, as they were sent; those of a form are views of the body."""
    fields: tuple[tuple[str, str], ...]
    """The names and values of a form's other fields, without empty ones."""
    mimetype: str
    """That of the body."""

    @classmethod
    def read(cls, body: bytes, content_type: str) -> "Payload":
        """Find the files and the fields in a body.

        Args:
            body: the request body as it came.
            content_type: the Content-Type header, or "".

        Raises:
            EmptyBody: a form without a file.
            BadParameter: a form with too many files.
            BodyTooLarge: a form with too much text.
            CorruptImage: a form that cannot be read, or a photo without its line breaks.
            HeadersTooLarge: a form whose parts have too long headers.
        """
        mimetype, _ = parse_options_header(content_type)
        if lost_line_breaks(body, mimetype):
            raise CorruptImage(
                "The line breaks of the photo are missing, because curl's option -d removes them: use --data-binary."
            )
        if body and mimetype == "multipart/form-data":
            return cls(*_read_form(body, content_type), mimetype)
        return cls((body,), (), mimetype)


def image_in(data: bytes | memoryview, mimetype: str = "") -> bytes | memoryview:
    """Find the image file in what was sent raw, in base64 or as a data URI; only its first bytes are looked at.

    Args:
        mimetype: of the whole body, for a better message.

    Raises:
        EmptyBody: nothing was sent.
        BodyTooLarge: the image is over ``MAX_IMAGE_BYTES``.
        UnsupportedImage: not an image, or of a format outside ``FORMATS``.
        CorruptImage: a base64 text that cannot be read.
    """
    if sniff(data) is None:
        data = _from_base64(data)
        if not data or bytes(data[:_START]).isspace():
            raise EmptyBody("The request has no image in its body.")
    if len(data) > MAX_IMAGE_BYTES:
        raise BodyTooLarge(f"The image has {len(data):,} bytes; at most {MAX_IMAGE_BYTES:,} are accepted.")
    if sniff(data) is None:
        problem = f"This is not an image of a supported format ({', '.join(FORMATS)})."
        raise UnsupportedImage(f"{problem} {on_no_image(data, mimetype)}".strip())
    return data


def _read_form(body: bytes, content_type: str) -> tuple[tuple[memoryview, ...], tuple[tuple[str, str], ...]]:
    """The files of a form and its fields."""
    try:
        parts = multipart.parts_of(body, content_type)
    except multipart.HeadersTooLarge as error:
        raise HeadersTooLarge(f"The multipart form cannot be read: {error}.") from error
    except ValueError as error:
        raise CorruptImage(f"The multipart form cannot be read: {error}.") from error
    # A browser sends a file without a name where a person has chosen none.
    files = [part for part in parts if part.content or part.filename]
    files = [part for part in files if part.filename is not None]
    if len(body) - sum(len(part.content) for part in files) > _MAX_TEXT_BYTES:
        raise BodyTooLarge(
            f"The form has over {_MAX_TEXT_BYTES:,} bytes of text. "
            "A photo is sent as a file, as by curl -F image=@photo.jpg."
        )
    fields = [(part.name, part.text()) for part in parts if part.filename is None]
    for part in files:
        if part.name in PARAMETERS:
            raise BadParameter(f"{part.name} was sent as a file, and must be text (with curl: -F '{part.name}=<FILE').")
    if len(files) > MAX_IMAGES:
        raise BadParameter(f"The form has {len(files):,} files; at most {MAX_IMAGES} are accepted.")
    if not any(part.content for part in files):
        advice = next((on_a_field(name, value) for name, value in fields if name not in PARAMETERS), "")
        raise EmptyBody(f"The form has no file, or an empty one. {advice}".strip())
    return tuple(part.content for part in files), tuple((name, value) for name, value in fields if value.strip())


def _from_base64(text: bytes | memoryview) -> bytes | memoryview:
    """Decode base64 or a data URI; return anything else unchanged."""
    start = bytes(text[:_START])
    uri = _DATA_URI.match(start)
    if not uri and not _begins_like_an_image(start):
        return text
    decoded = bytearray()
    rest = b""
    try:
        for at in range(uri.end() if uri else 0, len(text), _PIECE):
            piece = rest + bytes(text[at : at + _PIECE]).translate(None, _WHITE_SPACE)
            # White space may follow: whether these are the last four characters, which may be padded, is not known.
            whole = (len(piece) - 1) // 4 * 4 if at + _PIECE < len(text) else len(piece)
            rest = piece[whole:]
            if b"=" in piece[:whole] and at + _PIECE < len(text):
                raise binascii.Error
            decoded += binascii.a2b_base64(piece[:whole], strict_mode=True)
            if len(decoded) > MAX_IMAGE_BYTES:
                raise BodyTooLarge(f"The image is over {MAX_IMAGE_BYTES:,} bytes.")
    except binascii.Error as error:
        raise CorruptImage("The base64 text of the image cannot be decoded.") from error
    return memoryview(decoded)


def _begins_like_an_image(encoded: bytes) -> bool:
    """Whether the first characters are base64 of an image: ordinary text can be valid base64 as well."""
    sample = encoded[: 2 * _BASE64_SAMPLE].translate(None, _WHITE_SPACE)[:_BASE64_SAMPLE]
    if not _BASE64.fullmatch(sample):
        return False
    try:
        return sniff(base64.b64decode(sample[: len(sample) // 4 * 4])) is not None
    except binascii.Error:
        return False
