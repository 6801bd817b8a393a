"""Decompression bombs, and images of the largest size that is allowed."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, WebPImagePlugin  # noqa: F401 (registers)

from tests.pictures import encoded

SIDE = 8191
"""Of a square of just below 64 * 2**20 pixels."""
WEBP_SIDE = 7094
"""The same for a WebP, which may have three quarters of them."""
FILE = 20 * 1024 * 1024
"""Bytes that an image file may have."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, *, depth: int = 8, color: int = 2, rows: int | None = None, extra: bytes = b""
) -> bytes:
    """A black PNG, without all its rows if fewer are given, and with more chunks."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    row = bytes(1 + (width * channels * depth + 7) // 8)
    compressor = zlib.compressobj(1)
    block, left, parts = row * max(1, (1 << 20) // len(row)), len(row) * (height if rows is None else rows), []
    while left > 0:
        parts.append(compressor.compress(block[:left]))
        left -= len(block)
    data = b"".join([*parts, compressor.flush()])
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


_PALETTE = _chunk(b"PLTE", bytes(768)) + _chunk(b"tRNS", bytes(256))


def bmp(width: int, height: int, compression: int, data: bytes) -> bytes:
    colors = 256 if compression == 1 else 16
    offset = 54 + 4 * colors
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, 8 if compression == 1 else 4, compression, 0, 0, 0, colors, 0
    )
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + bytes(4 * colors) + data


def tiff(width: int, height: int, tags: dict[int, tuple[int, int, int]], tail: bytes, compression: int = 1) -> bytes:
    """A gray TIFF; ``tags``: number to type, count, value. ``tail`` begins at ``tail(tags)``."""
    all_tags = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, compression),
        262: (3, 1, 1),
    } | tags
    entries = b"".join(struct.pack("<HHII", number, *all_tags[number]) for number in sorted(all_tags))
    return b"II*\0" + struct.pack("<IH", 8, len(all_tags)) + entries + bytes(4) + tail


def tail(tags: int) -> int:
    return 8 + 2 + 12 * (5 + tags) + 4


def _zeros(count: int) -> bytes:
    compressor = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(compressor.compress(block) for _ in range(count >> 20)) + compressor.flush()


def _jpeg_of_many_scans() -> bytes:
    data = encoded(Image.new("RGB", (SIDE, SIDE)), "JPEG", progressive=True)
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 0, 0x10)
    return data[: data.index(b"\xff\xda")] + scan * 100_000 + b"\xff\xd9"


def _jpeg_of_many_whole_scans() -> bytes:
    data = encoded(Image.new("RGB", (SIDE, SIDE)), "JPEG")
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0)
    return data[: data.index(b"\xff\xda")] + scan * 100_000 + b"\xff\xd9"


def _in_jpeg(segment: bytes, times: int) -> bytes:
    data = encoded(Image.new("RGB", (64, 64)), "JPEG")
    return data[:2] + segment * times + data[2:]


def _in_gif(block: bytes, times: int, end: bytes) -> bytes:
    data = encoded(Image.new("P", (64, 64)), "GIF")
    at = data.index(b",")
    return data[:at] + b"!\xfe" + block * times + end + data[at:]


def _ifd_of_rationals(offset: int, numbers: int, tags: int = 50) -> bytes:
    """A directory at ``offset`` of so many tags, each of so many fractions."""
    values = offset + 2 + 12 * tags + 4
    entries = [struct.pack("<HHII", 40_000 + i, 5, numbers, values + 8 * numbers * i) for i in range(tags)]
    return struct.pack("<H", tags) + b"".join(entries) + bytes(4) + struct.pack("<II", 3, 7) * (numbers * tags)


def _exif_of_rationals(numbers: int) -> bytes:
    """An EXIF block with an orientation and a directory of fractions."""
    tags = struct.pack("<HHII", 274, 3, 1, 6) + struct.pack("<HHII", 34665, 4, 1, 38)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + tags + bytes(4) + _ifd_of_rationals(38, numbers)


def _exif_of_tags_that_overlap(tags: int = 4000) -> bytes:
    entries = [struct.pack("<HHII", 40_000 + i, 1, 60_000, 8) for i in range(tags)]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", tags) + b"".join(entries) + bytes(60_000)


def _tiff_of_strips(count: int) -> bytes:
    tags = {273: (4, count, tail(3)), 278: (4, 1, 1), 279: (4, 1, 1)}
    return tiff(1, count, tags, struct.pack("<I", 9) * count)


def _tiff_of_tiles(count: int) -> bytes:
    tags = {322: (4, 1, 1), 323: (4, 1, 1), 324: (4, count, tail(4)), 325: (4, 1, 1)}
    return tiff(SIDE, SIDE, tags, struct.pack("<I", 9) * count)


def _tiff_of_one_huge_tile() -> bytes:
    data = _zeros(100 << 20)
    tags = {322: (4, 1, 10_000), 323: (4, 1, 10_000), 324: (4, 1, tail(4)), 325: (4, 1, len(data))}
    return tiff(16, 16, tags, data, compression=8)


def _tiff_of_one_huge_strip() -> bytes:
    data = _zeros(100 << 20)
    return tiff(16, 16, {273: (4, 1, tail(3)), 278: (4, 1, 2**32 - 1), 279: (4, 1, len(data))}, data, compression=8)


def _many_frames(name: str, count: int) -> bytes:
    frames = [Image.new("RGB", (16, 16), (i % 256, i // 256, 7)) for i in range(count)]
    return encoded(frames[0], name, save_all=True, append_images=frames[1:], duration=20)


def _webp_of(width: int, height: int) -> bytes:
    """A canvas of this size, as its header says, with a small picture in it."""
    frame = encoded(Image.new("RGB", (16, 16)), "WEBP")[12:]
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + frame
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


BOMBS: dict[str, Callable[[], bytes]] = {
    "png, one pixel wide": lambda: png(1, 49_999_999, depth=1, color=0),
    "png, one pixel high": lambda: png(49_999_999, 1, depth=1, color=0),
    "png whose rows are missing": lambda: png(SIDE, SIDE, rows=1),
    "png with 64 megabytes of color profile": lambda: png(64, 64, extra=_chunk(b"iCCP", b"a\0\0" + _zeros(64 << 20))),
    "png with two hundred megabytes of text": lambda: png(
        64, 64, extra=_chunk(b"zTXt", b"a\0\0" + _zeros(1 << 20)) * 200
    ),
    "png of a million chunks": lambda: png(64, 64, extra=_chunk(b"tEXt", b"a\0b") * (FILE // 16)),
    "png of a million empty data chunks": lambda: png(64, 64, extra=_chunk(b"IDAT", b"") * (FILE // 13)),
    "png with two million numbers in its exif": lambda: png(
        64, 64, extra=_chunk(b"eXIf", _exif_of_rationals(FILE // 8 // 51))
    ),
    "png with exif tags that overlap": lambda: png(64, 64, extra=_chunk(b"eXIf", _exif_of_tags_that_overlap())),
    "jpeg of many scans": _jpeg_of_many_scans,
    "jpeg of many scans that are not progressive": _jpeg_of_many_whole_scans,
    "jpeg of five million segments": lambda: _in_jpeg(b"\xff\xe5\x00\x02", FILE // 4 - 1000),
    "jpeg of five million comments": lambda: _in_jpeg(b"\xff\xfe\x00\x02", FILE // 4 - 1000),
    "jpeg of many exif segments": lambda: _in_jpeg(b"\xff\xe1\xff\xff" + b"Exif\0\0" + bytes(65_527), 300),
    "gif with a comment in ten million pieces": lambda: _in_gif(b"\x01a", FILE // 2 - 1000, b"\0"),
    "gif of ten million empty blocks": lambda: _in_gif(b"\0", FILE - 3000, b""),
    "gif of many frames": lambda: _many_frames("GIF", 2000),
    "webp of many frames": lambda: _many_frames("WEBP", 2000),
    "webp of a canvas of 16 million by 100": lambda: _webp_of(1 << 24, 100),
    "webp of a canvas of 10,000 square": lambda: _webp_of(10_000, 10_000),
    "bmp of single runs": lambda: bmp(3000, 3000, 1, b"\x01\x07" * (FILE // 2 - 2000)),
    "bmp of runs of half bytes": lambda: bmp(SIDE, SIDE, 2, b"\xff\x07" * (FILE // 2 - 2000)),
    "bmp of nothing but ends of lines": lambda: bmp(SIDE, SIDE, 1, b"\x01\x01\0\0" * SIDE),
    "tiff of five million strips": lambda: _tiff_of_strips(FILE // 4 - 1000),
    "tiff of five million tiles": lambda: _tiff_of_tiles(FILE // 4 - 1000),
    "tiff of one huge tile": _tiff_of_one_huge_tile,
    "tiff of one huge strip": _tiff_of_one_huge_strip,
    "tiff with two million numbers in its exif": lambda: tiff(
        1,
        1,
        {273: (4, 1, 8), 278: (4, 1, 1), 279: (4, 1, 1), 34665: (4, 1, tail(4))},
        _ifd_of_rationals(tail(4), FILE // 8 // 51),
    ),
}
"""What a bomb is, to how it is made."""


def _flat(mode: str, name: str, side: int = SIDE, **options: Any) -> Callable[[], bytes]:
    return lambda: encoded(Image.new(mode, (side, side)), name, **options)


LARGEST: dict[str, Callable[[], bytes]] = {
    "png, 16 bits and alpha": lambda: png(SIDE, SIDE, depth=16, color=6),
    "png, as high as can be": lambda: png(190, 1 << 18, color=3, extra=_PALETTE),
    "jpeg, progressive": _flat("RGB", "JPEG", progressive=True, subsampling=0),
    "gif": _flat("P", "GIF", transparency=0),
    "webp": _flat("RGBA", "WEBP", WEBP_SIDE, lossless=True, quality=0, method=0),
    "tiff, float": _flat("F", "TIFF", compression="tiff_adobe_deflate"),
    "avif": _flat("RGB", "AVIF", speed=10),
}
"""Images of as many pixels as they may have, of the kinds that take much memory."""
SLOW_TO_MAKE: dict[str, Callable[[], bytes]] = {
    "jpeg, progressive, CMYK": _flat("CMYK", "JPEG", progressive=True, subsampling=0),
    "webp, lossy": _flat("RGB", "WEBP", WEBP_SIDE, method=0),
    "avif, 4:4:4 and alpha": _flat("RGBA", "AVIF", speed=10, subsampling="4:4:4"),
    "heic": _flat("RGB", "HEIF", quality=50),
    "heic, 4:4:4 and alpha": _flat("RGBA", "HEIF", quality=50, chroma=444),
}
"""More of them."""
