"""BMP files of the kinds that Pillow does not write (Windows' BITMAPINFOHEADER and BITMAPV5HEADER)."""

import struct

import numpy as np
from numpy.typing import NDArray

from tests.photos.plain import Pixels

_BITFIELDS = 3
_SRGB = 0x73524742


def with_masks(pixels: Pixels, order: str) -> bytes:
    """Encode at 32 bits a pixel, whose bytes are channels ("R", "G", "B") or nothing ("x") in this order."""
    height, width, _ = pixels.shape
    zeros = np.zeros((height, width), np.uint8)
    data = np.dstack([zeros if kind == "x" else pixels[..., "RGB".index(kind)] for kind in order])[::-1].tobytes()
    masks = (0xFF << 8 * order.index(kind) for kind in "RGB")
    header = struct.pack("<IiiHHIIiiIIIII", 40, width, height, 1, 32, _BITFIELDS, len(data), 0, 0, 0, 0, *masks)
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + data


def bmp(pixels: Pixels, bits: int, *, top_down: bool = False, alpha: NDArray[np.uint8] | None = None) -> bytes:
    """Encode at 16 (5-6-5), 24 or 32 bits a pixel; with ``alpha`` [height, width], with a header of version 5."""
    height, width, _ = pixels.shape
    masks = (0xF800, 0x07E0, 0x001F, 0) if bits == 16 else (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    if bits == 16:
        red, green, blue = (pixels[..., channel].astype(np.uint16) for channel in range(3))
        rows = ((red >> 3 << 11) | (green >> 2 << 5) | blue >> 3).astype("<u2").view(np.uint8).reshape(height, -1)
    else:
        fourth = np.zeros((height, width), np.uint8) if alpha is None else alpha
        rows = np.dstack((pixels[..., ::-1], fourth))[..., : bits // 8].reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    data = (rows if top_down else rows[::-1]).tobytes()
    compression = _BITFIELDS if bits == 16 or alpha is not None else 0
    header = struct.pack(
        "<iiHHIIiiII", width, -height if top_down else height, 1, bits, compression, len(data), 0, 0, 0, 0
    )
    if alpha is not None:
        header += struct.pack("<IIIII", *masks, _SRGB).ljust(84, b"\0")
    elif compression:
        header += struct.pack("<III", *masks[:3])
    size = 124 if alpha is not None else 40
    start = 14 + 4 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + struct.pack("<I", size) + header + data
