"""The photographs that are encoded in every way, and how far what is read is from them."""

import math
from functools import cache
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from backend.clip.photos.image import read_photo
from backend.clip.photos.preprocessing import Preprocessing

Pixels = NDArray[np.uint8]
"""[height, width, 3], RGB, upright."""

# Odd sizes: rows, planes and tiles that are padded show where padding is taken for pixels.
_SIZES = {"astronaut": (211, 157), "coffee": (150, 214)}
PHOTOGRAPHS = tuple(_SIZES)


@cache
def photograph(name: str) -> Pixels:
    """One of ``PHOTOGRAPHS``, which nothing may change."""
    with Image.open(Path(str(skimage.data.__file__)).with_name(f"{name}.png")) as file:
        size = _SIZES[name]
        scale = max(size[0] / file.width, size[1] / file.height)
        large = file.convert("RGB").resize((math.ceil(file.width * scale), math.ceil(file.height * scale)))
    pixels = np.asarray(large.crop((0, 0, *size)))
    pixels.setflags(write=False)
    return pixels


def read(data: bytes, size: tuple[int, int]) -> tuple[Pixels, tuple[int, int], tuple[str, ...]]:
    """The file as the project reads it, squashed into width and height; its own width and height; warnings."""
    photo = read_photo(data, Preprocessing((size[1], size[0]), "squash"))
    return photo.pixels, photo.size, photo.warnings


def psnr(one: Pixels, other: Pixels) -> float:
    """In dB; of equal pictures infinity."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
