"""JPEGs that hide how much work they take to decode (ITU-T T.81, annex B, as libjpeg reads it)."""

import struct
from collections.abc import Callable
from functools import cache

from PIL import Image

from tests.pictures import encoded, photo

SOI, EOI, SOS, COMMENT, APP2 = b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xfe", b"\xff\xe2"
TABLES_ONLY = SOI + EOI
"""libjpeg takes it for a stream of tables alone, and begins again with what follows."""


def segment(marker: bytes, data: bytes) -> bytes:
    return marker + struct.pack(">H", 2 + len(data)) + data


@cache
def scans(count: int = 20_000, side: int = 4096) -> bytes:
    """A progressive JPEG whose decoder goes over all its pixels so often: ten bytes each time."""
    data = encoded(Image.new("RGB", (side, side)), "JPEG", progressive=True)
    scan = segment(SOS, struct.pack(">BBBBBB", 1, 1, 0, 0, 0, 0x10))
    return data[: data.index(SOS)] + scan * count + EOI


def _mpo(first: bytes) -> bytes:
    """A file of several pictures (CIPA DC-007) with this one in the place of its first."""
    file = encoded(photo((64, 64)), "MPO", save_all=True, append_images=[photo((64, 64), 1)])
    app2 = file.index(APP2)
    index = file[app2 : app2 + 2 + int.from_bytes(file[app2 + 2 : app2 + 4])]
    return SOI + index + first[2:] + file[file.index(SOI, 2) :]


def _thumbnail_in_front() -> bytes:
    """A whole small picture, then the bomb: what begins like a photo with something behind it."""
    return encoded(photo((64, 64)), "JPEG") + scans()


def _tables_after_comments(count: int) -> bytes:
    return (SOI + segment(COMMENT, b"\xff\xda" * 8) + EOI) * count + scans()


def _comments_that_look_like_scans() -> bytes:
    """EOI inside a comment, which a careless program takes for the end."""
    bomb = scans()
    return SOI + segment(COMMENT, EOI * 100) + segment(APP2, SOI + EOI) + bomb[2:]


EXPENSIVE: dict[str, Callable[[], bytes]] = {
    "progressive jpeg of many scans": scans,
    "jpeg of many scans behind SOI EOI ten times": lambda: TABLES_ONLY * 10 + scans(),
    "jpeg of many scans behind SOI comment EOI": lambda: _tables_after_comments(3),
    "jpeg of many scans behind comments with EOI": _comments_that_look_like_scans,
    "mpo of many scans behind SOI EOI": lambda: _mpo(TABLES_ONLY + scans()),
}
"""Names, and how each is made. Decoding one takes minutes."""
