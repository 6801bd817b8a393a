"""Camera raw files, of which the preview is read."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image

from tests.photos.encoding import Encoding
from tests.photos.plain import Pixels
from tests.photos.turned import STORED
from tests.pictures import encoded
from tests.raws import MAKERS, dng

_WARNINGS = ("preview_of_raw",)
_ALONE = "they develop it, or cannot"


def rows() -> Iterator[Encoding]:
    for maker in MAKERS:
        for orientation in (1, 6, 8):
            make = partial(_file, maker, orientation)
            yield Encoding(f"raw {maker} orientation {orientation}", make, warnings=_WARNINGS, alone=_ALONE)
    yield Encoding("raw DNG of lossy tiles", _of_lossy_tiles, warnings=_WARNINGS, alone=_ALONE)


def _file(maker: str, orientation: int, pixels: Pixels) -> bytes:
    return MAKERS[maker](_preview(STORED[orientation](pixels)), orientation)


def _of_lossy_tiles(pixels: Pixels) -> bytes:
    return dng(_preview(pixels), lossy=True)


def _preview(pixels: Pixels) -> bytes:
    return encoded(Image.fromarray(np.ascontiguousarray(pixels)), "JPEG", quality=95)
