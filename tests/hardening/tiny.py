"""Fifty megapixels in a few bytes: what a flat image takes in every format, and files that say one thing many times."""

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image, TiffImagePlugin

from tests.hardening.bombs import SIDE, WEBP_SIDE, bmp, png, tail, tiff
from tests.hardening.isobmff import grid
from tests.pictures import encoded


def webp(width: int = WEBP_SIDE, height: int = WEBP_SIDE) -> bytes:
    """A lossless WebP of one color: five Huffman codes of one symbol each, which take no bits for any pixel."""
    header = 0x2F | (width - 1) << 8 | (height - 1) << 22
    # No transform, no color cache, no Huffman image; then five times "simple, one symbol, of one bit: 0".
    bits = sum(1 << (3 + 4 * number) for number in range(5))
    data = header.to_bytes(5, "little") + bits.to_bytes(9, "little")
    return b"RIFF" + struct.pack("<I", 12 + len(data)) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


def tiff_of_one_strip_many_times() -> bytes:
    """Every row is the same bytes: uncompressed, and yet small."""
    tags = {273: (4, SIDE, tail(3)), 278: (4, 1, 1), 279: (4, SIDE, tail(3) + 4 * SIDE)}
    offsets = struct.pack("<I", tail(3) + 8 * SIDE) * SIDE
    return tiff(SIDE, SIDE, tags, offsets + struct.pack("<I", SIDE) * SIDE + bytes(SIDE))


def _flat(mode: str, name: str, **options: Any) -> Callable[[], bytes]:
    return cache(lambda: encoded(Image.new(mode, (SIDE, SIDE)), name, **options))


_COMPRESSIONS = {
    "tiff_ccitt": "1",
    "group3": "1",
    "group4": "1",
    "tiff_lzw": "L",
    "tiff_adobe_deflate": "L",
    "packbits": "L",
    "jpeg": "L",
    "zstd": "L",
    "lzma": "L",
}
_AVAILABLE = set(TiffImagePlugin.COMPRESSION_INFO_REV)

TINY: dict[str, Callable[[], bytes]] = {
    "webp, lossless": webp,
    "png, one bit": lambda: png(SIDE, SIDE, depth=1, color=0),
    "png, 16 bits and alpha": cache(lambda: png(SIDE, SIDE, depth=16, color=6)),
    "gif": _flat("P", "GIF"),
    "avif, a grid of one tile": cache(lambda: grid(14, 14, tile=(504, 504), name="AVIF")),
    "heic, a grid of one tile": cache(lambda: grid(14, 14, tile=(504, 504))),
    "bmp, runs": lambda: bmp(3162, 3162, 1, (b"\xff\x07" * 12 + b"\x66\x07\0\0") * 3162),
    "jpeg, progressive": _flat("L", "JPEG", progressive=True),
}
"""A file's kind, to how it is made."""
KINDS = sorted({name.partition(",")[0] for name in TINY})
TIFFS: dict[str, Callable[[], bytes]] = {
    f"tiff, {name}": _flat(mode, "TIFF", compression=name) for name, mode in _COMPRESSIONS.items() if name in _AVAILABLE
} | {"tiff, one strip many times": tiff_of_one_strip_many_times}
"""The same for every compression that libtiff has."""
