"""Images as training sees them: plain, varied, and mosaics. Each depends on its numbers only, so every run sees the
same."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

Pixels = NDArray[np.uint8]

_KERNELS = (
    Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.HAMMING,
    Image.Resampling.NEAREST,
)  # fmt: skip
_KERNEL_SHARES = (0.3, 0.3, 0.15, 0.2, 0.05)
_CELL_SIZES = (32, 40, 52, 70, 104)


def plain(image: Pixels, size: int) -> Pixels:
    """`image` uint8 [h, w, 3], square, as the function that serves resizes it: bicubic to [size, size, 3]."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))


def varied(image: Pixels, size: int, seed: tuple[int, ...]) -> Pixels:
    """`image` mirrored, cropped, recolored, resized with one of several kernels and blurred, each at random by
    `seed`."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(image)
    side = picture.width
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    area = rng.uniform(0.55, 1) if rng.random() < 0.75 else 1.0
    aspect = np.exp(rng.uniform(-0.2, 0.2))
    width, height = min(side, side * np.sqrt(area) * aspect), min(side, side * np.sqrt(area) / aspect)
    left, top = rng.uniform(0, side - width), rng.uniform(0, side - height)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        if rng.random() < 0.4:
            picture = enhance(picture).enhance(rng.uniform(0.7, 1.3))
    kernel = _KERNELS[rng.choice(len(_KERNELS), p=_KERNEL_SHARES)]
    picture = picture.resize((size, size), kernel, box=(left, top, left + width, top + height))
    if rng.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))
    return np.asarray(picture)


def mosaic(images: Pixels, size: int, seed: tuple[int, ...]) -> Pixels:
    """Many of `images` [n, h, w, 3] side by side at 32 to 104 pixels each: detail as fine as a photograph has.

    Such pictures mean nothing; the tuned trunk is held to the original's answers on them, so that it keeps what it
    knows of sharp detail.
    """
    rng = np.random.default_rng(seed)
    cell = int(rng.choice(_CELL_SIZES))
    cells = -(-size // cell) + 1
    canvas = Image.new("RGB", (cells * cell, cells * cell))
    for y in range(cells):
        for x in range(cells):
            tile = Image.fromarray(images[rng.integers(len(images))]).resize((cell, cell), Image.Resampling.BICUBIC)
            canvas.paste(ImageOps.mirror(tile) if rng.random() < 0.5 else tile, (x * cell, y * cell))
    left, top = (int(offset) for offset in rng.integers(0, canvas.width - size + 1, size=2))
    return np.asarray(canvas.crop((left, top, left + size, top + size)))
