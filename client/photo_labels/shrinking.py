"""Makes photos as small as the service would make them before its model looks at them."""

import io
import os
import threading
import warnings
from pathlib import Path
from typing import Self

from PIL import ExifTags, Image, JpegImagePlugin

from .answers import Description
from .folder import Photo, read, require_size
from .service import ServiceRefuses

_LARGEST = 128 * 2**20
_QUALITY = 95
_MODES = ("RGB", "L")
# Pillow warns of a photo of over 89 megapixels; one of twice as many it does not open.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class Shrinker:
    """Reads photos, and shrinks JPEGs as the service does: to a half, a quarter or an eighth while they are decoded.

    What cannot be decoded, or need not be shrunk, stays as it is: the service says what is wrong with a file. It may be
    used by any number of threads.

    Args:
        side: in pixels; no side becomes shorter.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        # A progressive JPEG takes 3 to 6 bytes a pixel while it is decoded, whatever it is shrunk to.
        self._turn = threading.Semaphore(os.cpu_count() or 1)

    @classmethod
    def of(cls, service: Description) -> Self:
        """The one that makes photos as small as this service's model allows.

        Raises:
            ServiceRefuses: the service does not say how small that is.
        """
        if not service.sufficient_side:
            raise ServiceRefuses("This service does not say how small photos may be: it is older than --shrink.")
        return cls(service.sufficient_side)

    def read(self, path: Path, max_bytes: int) -> Photo:
        """Read a file of up to 128 MiB, as a photo of at most ``max_bytes``.

        Raises:
            Unreadable, RefusedUnread: as ``read`` of ``folder`` does.
        """
        photo = read(path, max(max_bytes, _LARGEST))
        data = self._smaller(photo.data)
        require_size(len(data), max_bytes, photo.state)
        return Photo(data, photo.state)

    def _smaller(self, photo: bytes) -> bytes:
        try:
            with self._turn:
                return min(photo, self._shrunk(photo), key=len)
        except Exception:  # Pillow's decoders raise nearly anything on a broken file
            return photo

    def _shrunk(self, photo: bytes) -> bytes:
        with Image.open(io.BytesIO(photo), formats=["JPEG"]) as image:
            size = image.size
            image.draft(None, (self._side, self._side))
            if image.size == size or image.mode not in _MODES:
                return photo
            exif = Image.Exif()
            if orientation := image.getexif().get(ExifTags.Base.Orientation):
                exif[ExifTags.Base.Orientation] = orientation
            small = io.BytesIO()
            image.save(
                small,
                "JPEG",
                quality=_QUALITY,
                subsampling=JpegImagePlugin.get_sampling(image),
                exif=exif,
                icc_profile=image.info.get("icc_profile"),
            )
            return small.getvalue()
