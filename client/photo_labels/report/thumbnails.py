"""Small pictures of photos: the service's previews, which all formats have, upright and in sRGB, made smaller."""

import base64
import io
from typing import NamedTuple

from PIL import Image

SIDE = 224
"""The longer side of a thumbnail, in pixels."""
_MOST_SIDE = 512
# The best is taken whose file is small enough; the last always is, for so few pixels.
_QUALITIES = (55, 30, 10, 1)
MOST_BYTES = 12_000
_DATA_URI = "data:image/jpeg;base64,"


class Thumbnail(NamedTuple):
    jpeg: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        return _DATA_URI + base64.b64encode(self.jpeg).decode()


def thumbnail(preview: object) -> Thumbnail | None:
    """The thumbnail of a preview, as ``preview=1`` of the API gives it; None for anything else."""
    if not isinstance(preview, str) or not preview.startswith(_DATA_URI):
        return None
    try:
        data = base64.b64decode(preview.removeprefix(_DATA_URI), validate=True)
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if max(image.size) > _MOST_SIDE:
                return None
            small = image.convert("RGB")
            small.thumbnail((SIDE, SIDE))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    files = (_written(small, quality) for quality in _QUALITIES)
    return Thumbnail(next(jpeg for jpeg in files if len(jpeg) <= MOST_BYTES), *small.size)


def _written(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
    return file.getvalue()
