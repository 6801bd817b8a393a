"""How much work a file may be. A decoder takes its orders from the file: within every limit on bytes and pixels, a few
kilobytes can order minutes of work or gigabytes of memory."""

import io
import re
from collections.abc import Iterator
from typing import IO

from PIL import Image, TiffImagePlugin

from .errors import CorruptImage, TooManyPixels
from .limits import MAX_IMAGE_PIXELS

# Photos come in a few thousand pieces at most; each piece costs a step of Python.
_MAX_READS = 20_000
# Every row costs something beside its pixels.
_MAX_SIDE = 1 << 18
# A run-length encoded BMP is decoded in Python, byte by byte.
_MAX_READS_OF_BMP = 1_000_000
_MAX_RUN_LENGTH_PIXELS = 10_000_000
# Far more than any photo's; a TIFF lists each of its strips here, a camera what it knows. What is over is not read.
_MAX_TAG_BYTES = 1 << 20
# A scan goes over all pixels, and takes ten bytes. Encoders make about ten of them; small images may have more.
_MAX_SCANNED_PIXELS = 20 * MAX_IMAGE_PIXELS
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SEQUENTIAL_FRAMES = (b"\xff\xc0", b"\xff\xc1")
_START_OF_SCAN, _END_OF_IMAGE, _WITHOUT_LENGTH = b"\xff\xda", b"\xff\xd9", (b"\xff\x01", b"\xff\xd8")


class BoundedFile(io.BytesIO):
    """A file in memory that ends its reader's patience: it can be read in a limited number of pieces."""

    def __init__(self, data: bytes, image_format: str) -> None:
        super().__init__(data)
        self._reads = _MAX_READS_OF_BMP if image_format == "BMP" else _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises OSError when it was read too often."""
        self._reads -= 1
        if self._reads < 0:
            raise OSError("the file has too many parts")
        return super().read(size)


class _BoundedTags(TiffImagePlugin.ImageFileDirectory_v2):
    """The tags of a TIFF or an EXIF block."""

    def load(self, fp: IO[bytes]) -> None:
        self._tag_data_limit = min(_MAX_TAG_BYTES, self._tag_data_limit or _MAX_TAG_BYTES)
        super().load(fp)


# The class that all plugins read tags with.
TiffImagePlugin.ImageFileDirectory_v2 = _BoundedTags  # type: ignore[misc]


def pixels_to_decode(image: Image.Image, data: bytes) -> int:
    """How many pixels an opened image that is not decoded yet will take to decode.

    Raises:
        TooManyPixels: over ``MAX_IMAGE_PIXELS``, or over what its encoding may have.
        CorruptImage: no encoder makes such files; it is there to keep a decoder busy.
    """
    pixels = image.width * image.height
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # A tile is decoded whole, however little of it the image shows.
        width, height = image.tag_v2.get(TiffImagePlugin.TILEWIDTH, 1), image.tag_v2.get(TiffImagePlugin.TILELENGTH, 1)
        pixels = max(pixels, width * height)
    if pixels > MAX_IMAGE_PIXELS:
        raise TooManyPixels(f"The image has {pixels:,} pixels; at most {MAX_IMAGE_PIXELS:,} are accepted.")
    if max(image.size) > _MAX_SIDE:
        raise TooManyPixels(f"The image has a side of {max(image.size):,} pixels; at most {_MAX_SIDE:,} are accepted.")
    if pixels > _MAX_RUN_LENGTH_PIXELS and any(tile.codec_name == "bmp_rle" for tile in getattr(image, "tile", ())[:1]):
        raise TooManyPixels(f"A run-length encoded BMP can have at most {_MAX_RUN_LENGTH_PIXELS:,} pixels.")
    if image.format in ("JPEG", "MPO") and _has_more_scans(data, _MAX_SCANNED_PIXELS // pixels):
        raise CorruptImage("The JPEG has too many scans.")
    return pixels


def _is_one_scan(data: bytes) -> bool:
    """Whether the first scan of a JPEG has all components at once, as photos have: its decoder takes no other then."""
    components = b""
    for marker, at in _markers(data):
        if marker in _SEQUENTIAL_FRAMES:
            components = data[at + 7 : at + 8]
        elif marker == _START_OF_SCAN:
            return components != b"" and components == data[at + 2 : at + 3]
    return False


def _has_more_scans(data: bytes, limit: int) -> bool:
    """Whether a JPEG has more scans than that."""
    if _is_one_scan(data) or data.count(_START_OF_SCAN) <= limit:  # true of nearly every file, and soon known
        return False
    scans = 0
    for marker, _ in _markers(data):
        scans += marker == _START_OF_SCAN
        if scans > limit or marker == _END_OF_IMAGE:
            break
    return scans > limit


def _markers(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The markers of a JPEG (ITU-T T.81, annex B), and where what belongs to them begins."""
    at = 0
    while marker := _MARKER.search(data, at):
        at = marker.end()
        yield marker[0], at
        if marker[0] not in _WITHOUT_LENGTH:
            at += int.from_bytes(data[at : at + 2])
