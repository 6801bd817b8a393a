"""The image in a request body: raw, in a multipart form, or base64, bare or as a data URI."""

import base64
import binascii
import io
import re

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from .errors import BodyTooLarge, CorruptImage, EmptyBody
from .image import sniff
from .limits import MAX_IMAGE_BYTES

_DATA_URI = re.compile(rb"data:[^,]{0,200};base64,", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_BASE64_SAMPLE = 64


def image_bytes(body: bytes, content_type: str) -> bytes:
    """Find the image in a request.

    Args:
        body: the request body as it came.
        content_type: the Content-Type header, or "".

    Returns:
        The bytes of the image file; bytes that are no image come back as they are.

    Raises:
        EmptyBody: nothing was sent, or a form without a file.
        BodyTooLarge: the image is over ``MAX_IMAGE_BYTES``.
        CorruptImage: a form or a data URI that cannot be read.
    """
    if body and content_type.lower().startswith("multipart/form-data"):
        body = _file_field(body, content_type)
    if sniff(body) is None:
        body = _from_base64(body)
    if not body:
        raise EmptyBody("The request has no image in its body.")
    if len(body) > MAX_IMAGE_BYTES:
        raise BodyTooLarge(f"The image has {len(body):,} bytes; at most {MAX_IMAGE_BYTES:,} are accepted.")
    return body


def _file_field(body: bytes, content_type: str) -> bytes:
    mimetype, options = parse_options_header(content_type)
    # Files stay in memory: the body is there already, and /tmp may be full or read-only.
    parser = FormDataParser(stream_factory=lambda *_args, **_kwargs: io.BytesIO(), max_form_parts=100, silent=False)
    try:
        _, _, files = parser.parse(io.BytesIO(body), mimetype, len(body), options)
    except (ValueError, HTTPException) as error:
        raise CorruptImage("The multipart form cannot be read.") from error
    for file in files.values():
        data: bytes = file.read()
        if data:
            return data
    raise EmptyBody("The form has no file, or an empty one.")


def _from_base64(body: bytes) -> bytes:
    """Decode base64 or a data URI; return anything else unchanged."""
    text = body.strip()
    prefix = _DATA_URI.match(text)
    encoded = text[prefix.end() :] if prefix else text
    if not prefix and not _looks_like_an_image(encoded):
        return text
    if len(encoded) // 4 * 3 > MAX_IMAGE_BYTES + 2:
        raise BodyTooLarge(f"The image is over {MAX_IMAGE_BYTES:,} bytes.")
    try:
        return base64.b64decode(b"".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CorruptImage("The base64 text of the image cannot be decoded.") from error


def _looks_like_an_image(encoded: bytes) -> bool:
    """Whether the first characters are base64 of an image: prose can be base64 too, and stays what it is."""
    sample = b"".join(encoded[: 2 * _BASE64_SAMPLE].split())[:_BASE64_SAMPLE]
    if not _BASE64.fullmatch(sample):
        return False
    whole = sample[: len(sample) // 4 * 4]
    try:
        return sniff(base64.b64decode(whole)) is not None
    except binascii.Error:
        return False
