"""How much memory decoding takes, and a budget that requests share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from .limits import MAX_IMAGE_PIXELS

# Measured with images of 50 megapixels: what a decoder holds at its peak, and two copies of 4 bytes a pixel where the
# image must be converted or turned.
_BYTES_PER_PIXEL = {"WEBP": 16, "AVIF": 14, "HEIF": 20}
_OTHERS = 8


def bytes_per_pixel(image: Image.Image) -> int:
    """What an opened image takes at most while it is decoded."""
    return _BYTES_PER_PIXEL.get(image.format or "", _OTHERS)


class Budget:
    """Lets requests claim so many bytes at a time, so that large photos wait for each other, not for the memory."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._turn = threading.Lock()
        self._changed = threading.Condition()

    @contextmanager
    def spend(self, size: int) -> Iterator[None]:
        """Wait until so many bytes are free; one that asks for more than all waits until all are."""
        size = min(size, self._size)
        with self._turn, self._changed:  # in turn: small ones would overtake a large one for ever
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


BUDGET = Budget(MAX_IMAGE_PIXELS * _OTHERS)
