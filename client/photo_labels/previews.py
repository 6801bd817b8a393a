"""The service's previews of photos, as ``preview=1`` gives them: all formats have one, upright and in sRGB."""

import base64
import io

from PIL import Image

DATA_URI = "data:image/jpeg;base64,"
_MOST_SIDE = 512


class BadPreview(ValueError):
    """What a service gave as a preview cannot be used. The message says why."""


def jpeg_of(preview: object) -> bytes:
    """The bytes of a preview.

    Raises:
        BadPreview: it is something else.
    """
    if not isinstance(preview, str) or not preview.startswith(DATA_URI):
        raise BadPreview("The answer has no preview.")
    try:
        return base64.b64decode(preview.removeprefix(DATA_URI), validate=True)
    except ValueError:
        raise BadPreview("The answer has no preview.") from None


def image_of(jpeg: bytes) -> Image.Image:
    """The picture that a preview is, at most 512 pixels a side.

    Raises:
        BadPreview: it is something else.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            if max(image.size) > _MOST_SIDE:
                raise BadPreview("The preview is too large.")
            return image.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadPreview("The preview is not a JPEG.") from error
