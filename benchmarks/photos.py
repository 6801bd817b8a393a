"""Photos drawn here, so that a run needs no download: soft areas, hard edges and grain, as a camera gives them."""

import io

import numpy as np
from PIL import Image, ImageDraw

SMALL = (640, 480)
LARGE = (4000, 3000)


def photo(size: tuple[int, int], seed: int) -> bytes:
    """A JPEG of this width and height in pixels, always the same for the same seed."""
    random = np.random.default_rng(seed)
    blobs = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    image = blobs.resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(80):
        center = random.random(2) * size
        corners = center + (random.random((3, 2)) - 0.5) * min(size) / 3
        color = tuple(int(level) for level in random.integers(0, 256, 3))
        draw.polygon([(float(x), float(y)) for x, y in corners], fill=color)
    grain = random.standard_normal((size[1], size[0], 1), dtype=np.float32) * 6
    pixels = np.clip(np.asarray(image, dtype=np.float32) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()
