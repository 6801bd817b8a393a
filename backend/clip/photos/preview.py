"""A small picture of a photo, for pages whose browser cannot show the file itself: HEIC and TIFF, mostly."""

import io

from PIL import Image

from .color import Conversion, converted

MAX_SIDE = 512
"""Of a preview, in pixels."""
_QUALITY = 80


def jpeg_preview(image: Image.Image, convert: Conversion | None) -> bytes:
    """A small JPEG of an image in sRGB, without metadata. An image that is small already is not enlarged.

    Args:
        image: as ``converted`` takes it; upright.
        convert: brings the colors to sRGB.

    Returns:
        The file, of at most ``MAX_SIDE`` pixels on its longer side.
    """
    scale = min(1.0, MAX_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = converted(image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0), convert)
    file = io.BytesIO()
    small.info.clear()  # Pillow would write a comment from there
    small.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
