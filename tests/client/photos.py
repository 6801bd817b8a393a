"""Photos to label."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def picture(seed: int) -> Image.Image:
    """A real picture, another one for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    image = Image.fromarray(pixels).resize((320, 240), Image.Resampling.BICUBIC)
    ImageDraw.Draw(image).ellipse((60, 40, 260, 200), fill=(200, 30 * seed % 256, 30))
    return image


def write_photos(folder: Path, count: int) -> set[str]:
    """Returns the names of so many photos, each of which holds its own number, in folders of ten. Old ones stay."""
    names = {f"{n // 10}/{n}.jpg" for n in range(count)}
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            (folder / name).write_text(Path(name).stem)
    return names
