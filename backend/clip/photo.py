"""A decoded image, and how a decoding process sends it."""

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray


class Photo(NamedTuple):
    pixels: NDArray[np.uint8]
    """uint8 [height, width, 3], RGB, as the image tower takes them."""
    preview: bytes
    """A JPEG file (``preview.py``); empty unless it was asked for."""

    def to_bytes(self) -> bytes:
        return self.pixels.tobytes() + self.preview

    @classmethod
    def from_bytes(cls, data: memoryview, size: tuple[int, int]) -> Self:
        """Read what ``to_bytes`` wrote; ``size`` is the pixels' height and width."""
        shape = (*size, 3)
        count = math.prod(shape)
        return cls(np.frombuffer(data, np.uint8, count).reshape(shape), bytes(data[count:]))
