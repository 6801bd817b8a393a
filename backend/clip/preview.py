"""A small picture of a photo, for pages whose browser cannot show the file itself: HEIC and TIFF, mostly."""

import io

from PIL import Image

MAX_SIDE = 512
"""Of a preview, in pixels."""
_QUALITY = 80
# The color profile of a phone's photo has half a kilobyte, and is kept. Some have megabytes.
_MAX_PROFILE_BYTES = 4096


def jpeg_preview(image: Image.Image) -> bytes:
    """A small JPEG of an image, without metadata. An image that is small already is not enlarged.

    Args:
        image: mode RGB, upright.

    Returns:
        The file, of at most ``MAX_SIDE`` pixels on its longer side.
    """
    profile = image.info.get("icc_profile") or b""
    scale = min(1.0, MAX_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    small.info.clear()  # Pillow would write a comment from there
    small.save(file, "JPEG", quality=_QUALITY, icc_profile=profile if len(profile) <= _MAX_PROFILE_BYTES else None)
    return file.getvalue()
