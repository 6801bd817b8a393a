"""Photos whose file ends too early, which every viewer shows: without its last bytes, or after a good part of its rows.

Pillow gives such a file up where the data ends. What was decoded until then is still there, and black below.
"""

import re
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFile

from ..errors import CorruptImage

LEAST = 0.5
"""Of the rows have to be there."""
_GRAY = 128
"""The level of the rows that are missing, as libjpeg has it."""
_END = b"\xff\xd9"
_START = b"\xff\xd8"
_START_OF_SCAN = 0xDA
# What a decoder would take for the rest of a row: it changes the picture only where the row was not complete. Zeros,
# with which a decoder goes on at the end of the data, must not come first.
_NOISE = bytes(range(254, 0, -1)) * 2
_MAX_SEGMENTS = 4096
_STRIP = 64
# What ends the data of a scan: any marker but a stuffed zero, a restart and a fill byte.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def rest_of_png(image: ImageFile.ImageFile) -> int:
    """How many rows were decoded of a PNG whose data has ended too early; the image has them.

    Raises:
        CorruptImage: they are too few.
    """
    rows = 0 if image.info.get("interlace") else _rows_there(image)
    _require(rows, image.height)
    image.tile = []
    return rows


def fill(image: Image.Image, rows: int) -> None:
    """Paint what follows the first ``rows`` of an image in gray."""
    image.paste((_GRAY,) * 3, (0, rows, *image.size))


def rest_of_jpeg(
    image: ImageFile.ImageFile, data: bytes, decode: Callable[[bytes], ImageFile.ImageFile]
) -> tuple[ImageFile.ImageFile, bool]:
    """Decode a JPEG whose data has ended too early.

    Args:
        image: as far as it was decoded.
        data: its file.
        decode: opens and decodes another file in the same way.

    Returns:
        The picture, with gray for what is missing, and whether something is.

    Raises:
        CorruptImage: less than half of the rows are there, or of a progressive JPEG less than a first view of them.
    """
    rows = 0 if image.info.get("progressive") else _rows_there(image)
    if rows == image.height:  # the trouble is in what follows the picture
        image.tile = []
        return image, False
    scan = data.find(bytes((0xFF, _START_OF_SCAN)))
    trailer = data.find(_START, scan)
    whole = data[: trailer if trailer > 0 else None].rstrip(b"\xff")  # half of the mark of the end
    if image.info.get("progressive"):
        if not _has_first_view(whole):
            raise CorruptImage("The JPEG is cut off before all of it is there at a low resolution.")
    else:
        _require(rows, image.height)
    size = image.height
    image.close()
    filled = decode(whole + _END)
    # A decoder that waits for more holds a row of blocks back, and some rows of pixels: they may be there all the same.
    tallest = max(vertical for _, _, vertical, _ in filled.layer)  # type: ignore[attr-defined]
    if rows and size - rows > 16 * tallest:
        return filled, True
    with decode(whole + _NOISE + _END) as other:
        return filled, filled.tobytes() != other.tobytes()


def _require(rows: int, height: int) -> None:
    if rows < LEAST * height:
        raise CorruptImage(f"The photo is cut off: {rows} of its {height} rows are there; at least half must be.")


def _rows_there(image: ImageFile.ImageFile) -> int:
    """The rows that a decoder has written before it gave up, or fewer: rows of zeros at their end do not count."""
    # The fourth byte of a pixel in mode RGB is 255 once it is written.
    raw = "RGBX" if image.mode == "RGB" else image.mode
    image.tile = []
    image.load()
    for bottom in range(image.height, 0, -_STRIP):
        top = max(0, bottom - _STRIP)
        strip = image.crop((0, top, image.width, bottom)).tobytes("raw", raw)
        written = np.frombuffer(strip, np.uint8).reshape(bottom - top, -1).any(axis=1)
        if written.any():
            return top + int(np.flatnonzero(written)[-1]) + 1
    return 0


def _has_first_view(data: bytes) -> bool:
    """Whether the first scans of a progressive JPEG are complete: those of the means, and one of luma's details."""
    components: set[int] = set()
    means: set[int] = set()
    first, at = -1, 2
    for _ in range(_MAX_SEGMENTS):
        if at + 4 > len(data):
            return False
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        body, at = data[at + 4 : at + 2 + length], at + 2 + length
        if marker in (0xC2, 0xCA):
            components, first = set(body[6::3]), body[6]
        elif marker == _START_OF_SCAN:
            end = _MARKER.search(data, at)
            if end is None:
                return False
            at = end.start()
            named = set(body[1 : 1 + 2 * body[0] : 2])
            if body[1 + 2 * body[0]] == 0:
                means |= named
            elif means >= components > set() and first in named:
                return True
    return False
