"""Advice for people who have sent something else than a photo's bytes."""

import re

from ..photos.formats import ENDINGS

_URL = re.compile(rb"[\s\"'<]*(https?|ftp|file)://", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
_FILE_NAME = re.compile(rf"\s*@?[^\r\n\0]{{1,200}}({'|'.join(map(re.escape, ENDINGS))})\s*".encode(), re.IGNORECASE)
_FIELD = re.compile(rb"\s*[\w.\[\]-]{1,60}=")
_SEND_BYTES = "send the photo itself, for example with curl --data-binary @photo.jpg."
_CONVERT = "export or convert it to JPEG or PNG."
_STILL = "send a photo, or a still picture of it as JPEG or PNG."
_DOCUMENT = "send the photo in it, or a picture of its page, as JPEG or PNG."
_UNPACK = "unpack it, and send the photo itself."
_OTHER_FORMATS = (
    (0, b"\xff\x0a", "a JPEG XL image", _CONVERT),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image", _CONVERT),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", _CONVERT),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image", _CONVERT),
    (0, b"II\xbc\x01", "a JPEG XR image", _CONVERT),
    (0, b"8BPS", "a Photoshop document", _CONVERT),
    (0, b"gimp xcf", "a GIMP image", _CONVERT),
    (0, b"v/1\x01", "an OpenEXR image", _CONVERT),
    (0, b"#?RADIANCE", "a Radiance HDR image", _CONVERT),
    (0, b"\0\0\1\0", "an icon", _CONVERT),
    (0, b"icns", "an icon", _CONVERT),
    (0, b"FOVb", "a Sigma camera raw file", _CONVERT),
    (0, b"\0MRM", "a Minolta camera raw file", _CONVERT),
    (6, b"HEAPCCDR", "a Canon camera raw file of the old kind", _CONVERT),
    (0, b"%PDF-", "a PDF document", _DOCUMENT),
    (0, b"%!PS", "a PostScript document", _DOCUMENT),
    (0, b"\xc5\xd0\xd3\xc6", "an EPS document", _DOCUMENT),
    (0, b"\xd0\xcf\x11\xe0", "an Office document", _DOCUMENT),
    # What is not an image by its brands (``formats.sniff``), and QuickTime before there were brands.
    *((4, kind, "an MP4 or MOV video", _STILL) for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"pnot")),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video", _STILL),
    (8, b"AVI LIST", "an AVI video", _STILL),
    (0, b"\0\0\1\xba", "an MPEG video", _STILL),
    (0, b"\x30\x26\xb2\x75", "a Windows Media file", _STILL),
    (0, b"FLV\1", "a Flash video", _STILL),
    (0, b"OggS", "an Ogg file", _STILL),
    (0, b"\x1f\x8b", "compressed by gzip", _UNPACK),
    (0, b"BZh", "compressed by bzip2", _UNPACK),
    (0, b"\xfd7zXZ", "compressed by xz", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "compressed by Zstandard", _UNPACK),
    (0, b"PK\3\4", "a ZIP archive, or a document that is one", _UNPACK),
    (0, b"7z\xbc\xaf", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
)
"""Where in a file its signature is, the signature, what the file is, and what to do."""
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
        return f"It is a URL, and URLs are not fetched here: {_SEND_BYTES}"
    for at, signature, what, advice in _OTHER_FORMATS:
        if start.startswith(signature, at):
            return f"It is {what}: {advice}"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _on_markup(start.lower())
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


def _on_markup(start: bytes) -> str:
    if b"<svg" in start:
        return f"It is an SVG drawing: {_CONVERT}"
    if b"<html" in start or b"<!doctype html" in start:
        return f"It is a web page, perhaps in place of the photo that was asked for: {_SEND_BYTES}"
    return f"It is XML, such as the notes of a photo program: {_SEND_BYTES}"


def on_a_field(name: str, value: str) -> str:
    """What to send instead of such a field, in a form without a file."""
    instead = f"-F {name[:40]}=@photo.jpg"
    if _URL.match(value[:_START].encode()):
        return f"A URL is in it, and URLs are not fetched here: send the photo itself, with curl {instead}."
    return f"'{name[:40]}' is text in it: with curl, write @ before the name of the file, as in {instead}."


def lost_line_breaks(body: bytes, mimetype: str) -> bool:
    """Whether this is a photo after ``curl -d @photo.jpg``: all byte values but line breaks are in it."""
    if mimetype != "application/x-www-form-urlencoded" or b"\n" in body or b"\r" in body:
        return False
    return len(set(body[:_LOOK])) >= _MOST_BYTE_VALUES
