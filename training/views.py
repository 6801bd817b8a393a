"""The pictures that the trunk learns from: the small images, enlarged or varied, and scenes as sharp as a photograph.

Each picture depends on its numbers alone, so every run sees the same.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps, UnidentifiedImageError

from training.data import PHOTO_SUFFIXES, DataError

Pixels = NDArray[np.uint8]

_KERNELS = (
    Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.HAMMING,
    Image.Resampling.NEAREST,
)  # fmt: skip
_KERNEL_SHARES = (0.6, 0.15, 0.15, 0.05, 0.05)
_SMOOTH_KERNELS = _KERNELS[:1] + _KERNELS[2:0:-1]
_SMOOTH_KERNEL_SHARES = (0.4, 0.4, 0.2)
_BACKGROUND_SIDE = 300
_CUTOUT_SIDE = 40
_LARGEST_BACKGROUND = (1400, 1400)
_LARGEST_CUTOUT = (500, 500)


def plain(image: Pixels, size: int) -> Pixels:
    """``image`` uint8 [h, w, 3], square, as the function that serves resizes it: bicubic to [size, size, 3]."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))


def varied(image: Pixels, size: int, seed: tuple[int, ...]) -> Pixels:
    """``image`` mirrored, cropped, recolored, enlarged with one of several kernels and blurred, each at random."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(image)
    side = picture.width
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    area = rng.uniform(0.55, 1) if rng.random() < 0.75 else 1.0
    aspect = np.exp(rng.uniform(-0.2, 0.2))
    width, height = min(side, side * np.sqrt(area) * aspect), min(side, side * np.sqrt(area) / aspect)
    left, top = rng.uniform(0, side - width), rng.uniform(0, side - height)
    picture = _recolored(picture, rng, share=0.4)
    kernel = _KERNELS[rng.choice(len(_KERNELS), p=_KERNEL_SHARES)]
    picture = picture.resize((size, size), kernel, box=(left, top, left + width, top + height))
    if rng.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))
    return np.asarray(picture)


def sharpened(image: Pixels, size: int, seed: tuple[int, ...]) -> Pixels:
    """``image`` enlarged with edges as sharp as a photograph's (unsharp mask) and grain, recolored and cropped."""
    rng = np.random.default_rng(seed)
    picture = _enlarged(image, size, rng)
    if rng.random() < 0.6:
        side = size * rng.uniform(0.75, 1)
        left, top = rng.uniform(0, size - side, size=2)
        picture = picture.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    picture = picture.filter(ImageFilter.UnsharpMask(rng.uniform(2, 6), int(rng.uniform(60, 300)), 0))
    return _grained(_recolored(picture, rng, share=0.4), rng)


def mosaic(images: Pixels, size: int, seed: tuple[int, ...]) -> Pixels:
    """Several things of one kind side by side, each smaller and so sharper: 4, 9 or 16 of ``images``
    uint8 [n, h, w, 3] at random."""
    rng = np.random.default_rng(seed)
    count = int(rng.choice([2, 3, 4], p=[0.5, 0.3, 0.2]))
    side = size // count + 1
    picture = Image.new("RGB", (size, size))
    for row in range(count):
        for column in range(count):
            tile = _enlarged(images[int(rng.integers(len(images)))], side, rng)
            picture.paste(tile, (column * side, row * side))
    if rng.random() < 0.6:
        picture = picture.filter(ImageFilter.UnsharpMask(rng.uniform(1, 3), int(rng.uniform(50, 200)), 0))
    return _grained(_recolored(picture, rng, share=0.4), rng)


def _enlarged(image: Pixels, size: int, rng: np.random.Generator) -> Image.Image:
    kernel = _SMOOTH_KERNELS[rng.choice(len(_SMOOTH_KERNELS), p=_SMOOTH_KERNEL_SHARES)]
    picture = Image.fromarray(image)
    return (ImageOps.mirror(picture) if rng.random() < 0.5 else picture).resize((size, size), kernel)


def _grained(picture: Image.Image, rng: np.random.Generator) -> Pixels:
    grain = rng.normal(0, rng.uniform(0, 6), size=(picture.height, picture.width, 1))
    return np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)


class Pictures(NamedTuple):
    """``backgrounds`` are opaque (RGB), ``cutouts`` show a thing and are transparent around it (RGBA)."""

    backgrounds: list[Image.Image]
    cutouts: list[Image.Image]


def read_pictures(folder: Path) -> Pictures:
    """The pictures anywhere below ``folder``, sorted by path, reduced to what scenes need; too small ones are left out.

    Raises:
        DataError: the folder is missing, or has no background or no cutout.
    """
    found = Pictures([], [])
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in PHOTO_SUFFIXES:
            continue
        try:
            with Image.open(path) as image:
                picture = image.convert("RGBA")
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(f"{path}: {error}") from error
        if picture.getchannel("A").getextrema()[0] == 255:
            picture.thumbnail(_LARGEST_BACKGROUND, Image.Resampling.BICUBIC)
            if min(picture.size) >= _BACKGROUND_SIDE:
                found.backgrounds.append(picture.convert("RGB"))
        elif box := picture.getbbox():
            picture = picture.crop(box)
            picture.thumbnail(_LARGEST_CUTOUT, Image.Resampling.BICUBIC)
            if min(picture.size) >= _CUTOUT_SIDE:
                found.cutouts.append(picture)
    if not found.backgrounds or not found.cutouts:
        raise DataError(
            f"{folder}: scenes need at least one opaque picture of {_BACKGROUND_SIDE} pixels or more and one that is "
            f"transparent around a thing; found {len(found.backgrounds)} and {len(found.cutouts)}"
        )
    return found


def scene(pictures: Pictures, size: int, seed: tuple[int, ...]) -> Pixels:
    """Up to three cutouts on a part of a background or on plain color, uint8 [size, size, 3], drawn at random."""
    rng = np.random.default_rng(seed)
    canvas = _background(pictures.backgrounds, size, rng)
    for number in range(rng.choice(4, p=[0.2, 0.55, 0.15, 0.1])):
        thing = pictures.cutouts[rng.integers(len(pictures.cutouts))]
        if rng.random() < 0.5:
            thing = ImageOps.mirror(thing)
        if rng.random() < 0.3:
            thing = thing.rotate(rng.uniform(-25, 25), Image.Resampling.BICUBIC, expand=True)
        side = size * (rng.uniform(0.45, 1.1) if number == 0 else rng.uniform(0.2, 0.6))
        scale = side / max(thing.size)
        thing = thing.resize(
            (max(1, round(thing.width * scale)), max(1, round(thing.height * scale))), Image.Resampling.BICUBIC
        )
        left, top = (int(rng.uniform(-0.1, 1.1) * (size - length)) for length in thing.size)
        canvas.paste(thing, (left, top), thing)
    return np.asarray(_recolored(canvas, rng, share=0.3))


def _background(backgrounds: list[Image.Image], size: int, rng: np.random.Generator) -> Image.Image:
    if rng.random() < 0.12:
        return Image.new("RGB", (size, size), tuple(int(level) for level in rng.integers(0, 256, size=3)))
    picture = backgrounds[rng.integers(len(backgrounds))]
    side = np.exp(rng.uniform(np.log(260), np.log(min(picture.size))))
    left, top = rng.uniform(0, picture.width - side), rng.uniform(0, picture.height - side)
    part = picture.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return ImageOps.mirror(part) if rng.random() < 0.5 else part


def _recolored(picture: Image.Image, rng: np.random.Generator, share: float) -> Image.Image:
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        if rng.random() < share:
            picture = enhance(picture).enhance(rng.uniform(0.7, 1.3))
    return picture
