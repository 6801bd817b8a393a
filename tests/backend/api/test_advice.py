"""What is said of files of other formats: what they are, and what to send instead."""

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from backend.clip.api.payload import image_in
from backend.clip.errors import UnsupportedImage
from tests.pictures import encoded, photo

PICTURE = photo((32, 24))


def saved(name: str) -> bytes:
    """By one of Pillow's plugins."""
    Image.init()
    return encoded(PICTURE, name)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photo.jpg", encoded(PICTURE, "JPEG"))
    return file.getvalue()


def boxes(*brands: bytes) -> bytes:
    return (8 + 4 * len(brands)).to_bytes(4) + b"ftyp" + b"".join(brands) + bytes(500)


def after_bom(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.encode()


JPEG = encoded(PICTURE, "JPEG")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
# A file, what it is said to be, and a word of what to do.
FILES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "jp2": (lambda: saved("JPEG2000"), "a JPEG 2000 image", "JPEG or PNG"),
    "ico": (lambda: saved("ICO"), "an icon", "JPEG or PNG"),
    "icns": (lambda: saved("ICNS"), "an icon", "JPEG or PNG"),
    "pdf": (lambda: saved("PDF"), "a PDF document", "a picture of its page"),
    "eps": (lambda: saved("EPS"), "a PostScript document", "a picture of its page"),
    "gz": (lambda: gzip.compress(JPEG), "compressed by gzip", "unpack it"),
    "bz2": (lambda: bz2.compress(JPEG), "compressed by bzip2", "unpack it"),
    "xz": (lambda: lzma.compress(JPEG), "compressed by xz", "unpack it"),
    "zip": (zipped, "a ZIP archive", "unpack it"),
    "jxl": (lambda: b"\xff\x0a\xfa\x1f" + bytes(99), "a JPEG XL image", "JPEG or PNG"),
    "jxl in boxes": (
        lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + boxes(b"jxl ", bytes(4), b"jxl "), "a JPEG XL image", "JPEG or PNG"
    ),
    "psd": (lambda: b"8BPS\0\1" + bytes(99), "a Photoshop document", "JPEG or PNG"),
    "exr": (lambda: b"v/1\1\2\0\0\0" + bytes(99), "an OpenEXR image", "JPEG or PNG"),
    "x3f": (lambda: b"FOVb\0\0\2\0" + bytes(99), "a Sigma camera raw file", "JPEG or PNG"),
    "mp4": (lambda: boxes(b"isom", bytes(4), b"isom", b"mp42"), "an MP4 or MOV video", "a still picture"),
    "mov": (lambda: boxes(b"qt  ", bytes(4), b"qt  "), "an MP4 or MOV video", "a still picture"),
    "mov without brands": (lambda: b"\0\0\0\x08wide" + bytes(99), "an MP4 or MOV video", "a still picture"),
    "webm": (lambda: b"\x1a\x45\xdf\xa3" + bytes(99), "a Matroska or WebM video", "a still picture"),
    "avi": (lambda: b"RIFF\0\1\0\0AVI LIST" + bytes(99), "an AVI video", "a still picture"),
    "svg": (lambda: SVG.encode(), "an SVG drawing", "JPEG or PNG"),
    "svg after a declaration": (
        lambda: after_bom(f'<?xml version="1.0"?>\n<!-- drawn -->\n{SVG}'), "an SVG drawing", "JPEG or PNG"
    ),
    "html": (lambda: b"\n<!DOCTYPE html><title>Not found</title>", "a web page", "send the photo itself"),
    "xmp": (lambda: b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', "XML", "send the photo itself"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_format_is_named(name: str) -> None:
    make, what, advice = FILES[name]

    with pytest.raises(UnsupportedImage, match=rf"\. It is {re.escape(what)}.*: .*{re.escape(advice)}.*\.$"):
        image_in(make())


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif", b"avis", b"msf1", b"crx "])
def test_a_picture_in_boxes_is_not_a_video(brand: bytes) -> None:
    data = boxes(brand, bytes(4), b"mp42", b"heic")
    assert image_in(data) == data


def test_of_other_bytes_nothing_is_said() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("photo.jpg"))
    for data in (file.getvalue(), b"just text", bytes(100), np.arange(256, dtype=np.uint8).tobytes()):
        with pytest.raises(UnsupportedImage, match=r"supported format \([^)]*\)\.$"):
            image_in(data)
