"""A decoded image file, as a decoding process hands it over."""

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray


class Photo(NamedTuple):
    pixels: NDArray[np.uint8]
    """uint8 [height, width, 3], RGB, as the image tower takes them."""
    preview: bytes
    """A JPEG file (``preview.py``); empty where nobody asked for one."""

    def to_bytes(self) -> bytes:
        return self.pixels.tobytes() + self.preview

    @classmethod
    def from_bytes(cls, data: memoryview, size: tuple[int, int]) -> Self:
        """What ``to_bytes`` gave, of pixels with this height and width."""
        shape = (*size, 3)
        count = math.prod(shape)
        return cls(np.frombuffer(data, np.uint8, count).reshape(shape), bytes(data[count:]))
