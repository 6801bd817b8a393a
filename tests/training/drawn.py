"""Pictures for scenes, drawn by a program."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def write_pictures(folder: Path) -> Path:
    """A background, a thing with nothing around it, and files that scenes cannot use."""
    (folder / "deep").mkdir(parents=True)
    levels = np.random.default_rng(3).integers(0, 256, size=(320, 400, 3), dtype=np.uint8)
    Image.fromarray(levels).save(folder / "background.jpg")
    thing = Image.new("RGBA", (90, 70))
    ImageDraw.Draw(thing).ellipse((10, 10, 79, 59), fill=(255, 0, 0, 255))
    thing.save(folder / "deep" / "thing.png")
    Image.new("RGB", (20, 20)).save(folder / "small.png")
    Image.new("RGBA", (90, 90)).save(folder / "empty.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder
