"""Pictures, and files of them."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

import backend.clip.photos.image  # noqa: F401 - Pillow writes HEIF from then on


def photo(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Blobs with some grain: neither flat nor noise, as photographs are."""
    random = np.random.default_rng(seed)
    blobs = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = random.normal(0, 6, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(blobs) + grain, 0, 255).astype(np.uint8))


# Tests look at what is decoded: larger files cost them nothing, encoding well does.
_FAST: dict[str, dict[str, int]] = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}, "AVIF": {"speed": 10}}


def encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **(_FAST.get(name, {}) | options))
    return buffer.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header claims this size; its data is not complete."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1_000_000))) + chunk(b"IEND", b"")


def huge_jpeg() -> bytes:
    """A small JPEG whose header claims 65,535 rows and columns."""
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)
