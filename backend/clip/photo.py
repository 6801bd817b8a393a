"""A decoded image, and how a decoding process sends it."""

import math
import struct
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

_SIZE = struct.Struct("<II")


class Photo(NamedTuple):
    pixels: NDArray[np.uint8]
    """uint8 [height, width, 3], RGB, as the image tower takes them."""
    size: tuple[int, int]
    """Width and height of the upright image as it was decoded: a JPEG may have been shrunk."""
    preview: bytes
    """A JPEG file (``preview.py``); empty unless it was asked for."""

    def to_bytes(self) -> bytes:
        return b"".join((_SIZE.pack(*self.size), self.pixels.tobytes(), self.preview))

    @classmethod
    def from_bytes(cls, data: memoryview, size: tuple[int, int]) -> Self:
        """What ``to_bytes`` gave, of pixels with this height and width."""
        shape = (*size, 3)
        end = _SIZE.size + math.prod(shape)
        pixels = np.frombuffer(data[_SIZE.size : end], np.uint8).reshape(shape)
        return cls(pixels, _SIZE.unpack_from(data), bytes(data[end:]))
