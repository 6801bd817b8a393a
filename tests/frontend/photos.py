"""Pictures to send."""

from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image
from playwright.sync_api import FilePayload

RED, BLUE = (200, 30, 30), (30, 30, 200)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    output = BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def photo(width: int = 320, height: int = 240) -> bytes:
    """A small JPEG: red on its left half, blue on its right."""
    image = Image.new("RGB", (width, height), BLUE)
    image.paste(RED, (0, 0, width // 2, height))
    return encoded(image)


@cache
def camera_photo(width: int = 4000, height: int = 3000, orientation: int = 1) -> bytes:
    """A JPEG as a phone makes it, with detail, grain and an EXIF orientation; its stored left half is reddish."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = random.integers(-20, 21, (height, width, 1), np.int16)
    pixels = np.clip(np.asarray(coarse, np.int16) // 2 + grain + 40, 0, 255).astype(np.uint8)
    pixels[:, : width // 2] = pixels[:, : width // 2] // 3 + np.array([150, 0, 0], np.uint8)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = orientation
    return encoded(image, quality=93, exif=exif)


def file(name: str = "holiday.jpg", data: bytes | None = None) -> FilePayload:
    """A photo as a file to choose."""
    return {"name": name, "mimeType": "", "buffer": photo() if data is None else data}
