"""TIFF files of any layout of samples, written byte by byte, so that no decoder is tested with its own encoder."""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, CMYK = 0, 1, 2, 5
BYTE, SHORT, LONG, FLOAT = 1, 3, 4, 11
_FORMS = {BYTE: "B", SHORT: "H", LONG: "I", FLOAT: "f"}
_SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff(
    samples: NDArray[np.generic],
    photometric: int,
    *,
    order: str = "<",
    planar: bool = False,
    compression: int = 1,
    predictor: int = 1,
    extra: Sequence[int] = (),
    tile: int = 0,
    rows: int = 0,
    packed: int = 0,
    tags: Mapping[int, tuple[int, Sequence[float]]] | None = None,
) -> bytes:
    """A file of these samples.

    Args:
        samples: [height, width, samples of a pixel], of the type that is written.
        order: "<" or ">".
        planar: whether each sample of a pixel has its own plane.
        compression: 1 for none, 8 for deflate.
        predictor: 2 for differences along the rows.
        extra: what the samples beyond the colors are, as the tag ExtraSamples has it.
        tile: the side of a tile, a multiple of 16; 0 for strips.
        rows: of a strip; 0 for one strip.
        packed: how many bits of a sample are written, where they are fewer than the type has: 12 or 4.
        tags: more tags, to their type and values.
    """
    height, width, depth = samples.shape
    planes = [samples[:, :, i : i + 1] for i in range(depth)] if planar else [samples]
    chunks = [
        _packed(chunk, packed) if packed else _coded(chunk, order, compression, predictor)
        for plane in planes
        for chunk in _chunks(plane, tile, rows or height)
    ]
    bits = packed or samples.dtype.itemsize * 8
    numbers: dict[int, tuple[int, Sequence[float]]] = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [bits] * depth),
        259: (SHORT, [compression]),
        262: (SHORT, [photometric]),
        277: (SHORT, [depth]),
        284: (SHORT, [2 if planar else 1]),
        339: (SHORT, [_SAMPLE_FORMATS[samples.dtype.kind]] * depth),
    }
    if predictor != 1:
        numbers[317] = (SHORT, [predictor])
    if extra:
        numbers[338] = (SHORT, list(extra))
    sizes = [len(chunk) for chunk in chunks]
    places = {322: (SHORT, [tile]), 323: (SHORT, [tile])} if tile else {278: (LONG, [rows or height])}
    places_at, sizes_at = (324, 325) if tile else (273, 279)
    numbers |= places | {places_at: (LONG, [0] * len(chunks)), sizes_at: (LONG, sizes)} | dict(tags or {})
    start = len(_directory(numbers, order))
    numbers[places_at] = (LONG, [start + sum(sizes[:i]) for i in range(len(sizes))])
    return _directory(numbers, order) + b"".join(chunks)


def _chunks(plane: NDArray[np.generic], tile: int, rows: int) -> Iterator[NDArray[np.generic]]:
    height, width, _ = plane.shape
    if not tile:
        for top in range(0, height, rows):
            yield plane[top : top + rows]
        return
    padded = np.pad(plane, ((0, -height % tile), (0, -width % tile), (0, 0)))
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            yield padded[top : top + tile, left : left + tile]


def _coded(chunk: NDArray[np.generic], order: str, compression: int, predictor: int) -> bytes:
    if predictor == 2:
        first = chunk[:, :1]
        chunk = np.concatenate([first, chunk[:, 1:] - chunk[:, :-1]], axis=1)  # type: ignore[operator]
    data = chunk.astype(f"{order}{chunk.dtype.kind}{chunk.dtype.itemsize}").tobytes()
    return zlib.compress(data, 1) if compression == 8 else data


def _packed(chunk: NDArray[np.generic], bits: int) -> bytes:
    """The lowest bits of each sample, without gaps but for the end of a row; the most significant come first."""
    height = chunk.shape[0]
    places = np.arange(bits - 1, -1, -1)
    row = (chunk.reshape(height, -1, 1).astype(np.int64) >> places & 1).reshape(height, -1).astype(np.uint8)
    return np.packbits(row, axis=1).tobytes()


def _directory(numbers: Mapping[int, tuple[int, Sequence[float]]], order: str) -> bytes:
    """Header, directory and the values that do not fit into it."""
    entries, values = b"", b""
    values_at = 8 + 2 + 12 * len(numbers) + 4
    for number, (kind, content) in sorted(numbers.items()):
        data = struct.pack(f"{order}{len(content)}{_FORMS[kind]}", *content)
        if len(data) > 4:
            field = struct.pack(f"{order}I", values_at + len(values))
            values += data
        else:
            field = data.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", number, kind, len(content)) + field
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}IH", 8, len(numbers)) + entries + bytes(4) + values
