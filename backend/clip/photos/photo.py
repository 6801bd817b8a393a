"""A decoded image, and how a decoding process sends it."""

import json
import math
import struct
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

CUT_OFF = "cut_off"
"""The warning that the file ends before all of its picture is there."""
PREVIEW_OF_RAW = "preview_of_raw"
"""The warning that a camera raw file was not developed: the preview that the camera made was read."""
_HEAD = struct.Struct("<III")


class Photo(NamedTuple):
    pixels: NDArray[np.uint8]
    """uint8 [height, width, 3], RGB, as the image tower takes them."""
    size: tuple[int, int]
    """Width and height of the upright image as it was decoded: a JPEG may have been shrunk."""
    preview: bytes
    """A JPEG file (``preview.py``); empty unless it was asked for."""
    warnings: tuple[str, ...] = ()
    """What is said with the answer, because not all of the photo was read: ``CUT_OFF``, ``PREVIEW_OF_RAW``."""

    def to_bytes(self) -> bytes:
        warnings = json.dumps(self.warnings).encode() if self.warnings else b""
        return b"".join((_HEAD.pack(*self.size, len(warnings)), warnings, self.pixels.tobytes(), self.preview))

    @classmethod
    def from_bytes(cls, data: memoryview, size: tuple[int, int]) -> Self:
        """What ``to_bytes`` gave, of pixels with this height and width."""
        shape = (*size, 3)
        width, height, length = _HEAD.unpack_from(data)
        start = _HEAD.size + length
        end = start + math.prod(shape)
        warnings = tuple(json.loads(bytes(data[_HEAD.size : start]))) if length else ()
        pixels = np.frombuffer(data[start:end], np.uint8).reshape(shape)
        return cls(pixels, (width, height), bytes(data[end:]), warnings)
