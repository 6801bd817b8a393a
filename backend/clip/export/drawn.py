"""Pictures that a program draws, for models of which nobody has measured what photographs look like to them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SEED = 7
_OF_EACH = 8


def drawn_pictures(height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """uint8 [height, width, 3] each, the same ones every time: flat colors, gradients, stripes, grain, blobs."""
    random = np.random.default_rng(_SEED)
    y, x = np.mgrid[:height, :width] / max(height, width)
    for _ in range(_OF_EACH):
        first, second = random.uniform(0, 255, (2, 3))
        angle, waves = random.uniform(0, np.pi), random.uniform(2, 30)
        along = np.cos(angle) * x + np.sin(angle) * y
        yield _mixed(np.zeros_like(x), first, second)
        yield _mixed((along - along.min()) / (along.max() - along.min()), first, second)
        yield _mixed((np.sin(2 * np.pi * waves * along) + 1) / 2, first, second)
        cells = int(random.integers(3, 60))
        coarse = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        yield np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
        yield np.asarray(coarse.resize((width, height), Image.Resampling.NEAREST))


def _mixed(share: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.uint8]:
    return (first + (second - first) * share[..., np.newaxis]).astype(np.uint8)
