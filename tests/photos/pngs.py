"""PNG files of every color type and depth, which Pillow does not write (W3C, PNG, 3rd edition)."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""By the number of channels: gray, gray with alpha, RGB, RGB with alpha."""
_PALETTE = 3
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row and column, and steps of both, of each pass."""


def png(
    samples: NDArray[np.uint16],
    depth: int,
    *,
    interlaced: bool = False,
    palette: NDArray[np.uint8] | None = None,
    chunks: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """Encode samples [height, width, channels] of this depth in bits; with a palette, they are its entries' numbers.

    ``chunks`` come before the palette, but for tRNS.
    """
    height, width, channels = samples.shape
    color_type = _COLOR_TYPES[channels] if palette is None else _PALETTE
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = b"".join(_rows(samples[top::down, left::right], depth) for top, left, down, right in passes)
    parts = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced)))]
    parts += [_chunk(kind, value) for kind, value in chunks if kind != b"tRNS"]
    parts += [] if palette is None else [_chunk(b"PLTE", palette.tobytes())]
    parts += [_chunk(kind, value) for kind, value in chunks if kind == b"tRNS"]
    return b"\x89PNG\r\n\x1a\n" + b"".join((*parts, _chunk(b"IDAT", zlib.compress(rows, 1)), _chunk(b"IEND", b"")))


def _rows(samples: NDArray[np.uint16], depth: int) -> bytes:
    if samples.size == 0:
        return b""
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        packed = flat.astype(">u2").view(np.uint8)
    else:
        bits = np.unpackbits(flat.astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
        packed = np.packbits(bits.reshape(len(flat), -1), axis=1)
    return np.pad(packed, ((0, 0), (1, 0))).tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
