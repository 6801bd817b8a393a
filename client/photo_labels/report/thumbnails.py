"""Small pictures of photos: the service's previews, made smaller."""

import base64
import io
from typing import NamedTuple

from PIL import Image

from ..previews import DATA_URI, BadPreview, image_of, jpeg_of

SIDE = 224
"""The longer side of a thumbnail, in pixels."""
# The best is taken whose file is small enough; the last always is, for so few pixels.
_QUALITIES = (55, 30, 10, 1)
MOST_BYTES = 12_000


class Thumbnail(NamedTuple):
    jpeg: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        return DATA_URI + base64.b64encode(self.jpeg).decode()


def thumbnail(preview: object) -> Thumbnail | None:
    """The thumbnail of a preview, as ``preview=1`` of the API gives it; None for anything else."""
    try:
        small = image_of(jpeg_of(preview))
    except BadPreview:
        return None
    small.thumbnail((SIDE, SIDE))
    small.info.clear()  # comments, which would be written again
    files = (_written(small, quality) for quality in _QUALITIES)
    return Thumbnail(next(jpeg for jpeg in files if len(jpeg) <= MOST_BYTES), *small.size)


def _written(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
    return file.getvalue()
