"""Advice for people who have sent something else than a photo's bytes."""

import re

_URL = re.compile(rb"[\s\"'<]*(https?|ftp|file)://", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
_FILE_NAME = re.compile(rb"\s*@?[^\r\n\0]{1,200}\.(jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf])\s*", re.IGNORECASE)
_FIELD = re.compile(rb"\s*[\w.\[\]-]{1,60}=")
_SEND_BYTES = "send the photo itself, for example with curl --data-binary @photo.jpg."
_START = 512
_LOOK = 1 << 16
_MOST_BYTE_VALUES = 250


def is_url(text: str) -> bool:
    """Whether the text is one URL of a web site, and no more."""
    return _WEB_ADDRESS.fullmatch(text[: _START + 1]) is not None


def on_no_image(body: bytes | memoryview, mimetype: str) -> str:
    """What is wrong with such a body and what to send instead; "" if nothing is known."""
    start = bytes(body[:_START])
    if _URL.match(start):
        return f"It is a URL, and no URL is fetched: {_SEND_BYTES}"
    if mimetype == "application/json" or start.lstrip()[:1] in (b"{", b"["):
        return (
            f"It is JSON: {_SEND_BYTES} Parameters go into the query or into the fields of a form. "
            'In Hugging Face\'s form JSON has the photo in "inputs", as base64.'
        )
    if _FIELD.match(start):
        return (
            f"It is a form without files: {_SEND_BYTES} A form must be multipart, as curl -F image=@photo.jpg sends it."
        )
    if _FILE_NAME.fullmatch(start):
        return f"It is the name of a file, not its contents: {_SEND_BYTES}"
    return ""


def on_a_field(name: str, value: str) -> str:
    """What to send instead of such a field, in a form without a file."""
    instead = f"-F {name[:40]}=@photo.jpg"
    if _URL.match(value[:_START].encode()):
        return f"A URL is in it, and no URL is fetched: send the photo itself, with curl {instead}."
    return f"'{name[:40]}' is text in it: with curl, write @ before the name of the file, as in {instead}."


def lost_line_breaks(body: bytes, mimetype: str) -> bool:
    """Whether this is a photo after ``curl -d @photo.jpg``: all byte values but line breaks are in it."""
    if mimetype != "application/x-www-form-urlencoded" or b"\n" in body or b"\r" in body:
        return False
    return len(set(body[:_LOOK])) >= _MOST_BYTE_VALUES
