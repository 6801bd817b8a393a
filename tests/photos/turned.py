"""Photographs that are stored turned or mirrored, and how they are to be shown."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from PIL import Image

from tests.photos.encoding import Encoding
from tests.photos.plain import Pixels
from tests.pictures import encoded

_ORIENTATION = 0x0112
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "JPEG": {"quality": 95},
    "PNG": {},
    "TIFF": {},
    "WEBP": {"quality": 95},
    "AVIF": {},
    "HEIF": {"enc_params": {"preset": "ultrafast"}},
}
STORED: Mapping[int, Callable[[Pixels], Pixels]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, 1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels, -1),
}
"""How an upright picture is stored, by EXIF orientation: 6 says that the first row is on the right, for example."""


def rows() -> Iterator[Encoding]:
    for name, orientation in product(_OPTIONS, STORED):
        yield Encoding(f"{name.lower()} orientation {orientation}", partial(_turned, name, orientation))


def _turned(name: str, orientation: int, pixels: Pixels) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    picture = Image.fromarray(np.ascontiguousarray(STORED[orientation](pixels)))
    return encoded(picture, name, exif=exif.tobytes(), **_OPTIONS[name])
