"""The formats that are read, a row each, and the format of a file by its first bytes.

Every body is looked at here, outside the decoding processes: safely.
"""

from typing import NamedTuple


class Format(NamedTuple):
    """A format of images. ``image.py`` registers its decoder with Pillow."""

    name: str
    """As Pillow has it."""
    endings: tuple[str, ...]
    """Of files' names, in lower case."""
    starts: tuple[bytes, ...]
    """What a file begins with."""
    brands: frozenset[bytes]
    """Of the file type box that it begins with instead (ISO/IEC 14496-12, 4.3)."""
    per_pixel: float
    per_byte: float
    """The processor time of one thread, in nanoseconds for a pixel and for a byte of the file together. Bytes are
    grain, and samples of more bits. Measured on an AMD EPYC with pictures of 9 to 67 megapixels: flat ones, and
    photographs with more and less grain. Of a JPEG the samples count, see ``cost.py``."""


# Each in either byte order, also where the order is written the wrong way round, and BigTIFF.
_TIFF = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")
_AVIF = frozenset((b"avif", b"avis"))
_HEIF = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"))
_NO_BRANDS: frozenset[bytes] = frozenset()
_ROWS = (
    Format("JPEG", (".jfif", ".jpe", ".jpeg", ".jpg"), (b"\xff\xd8\xff",), _NO_BRANDS, 0, 0),
    Format("PNG", (".apng", ".png"), (b"\x89PNG\r\n\x1a\n",), _NO_BRANDS, 22, 6),
    Format("GIF", (".gif",), (b"GIF87a", b"GIF89a"), _NO_BRANDS, 14, 9),
    Format("BMP", (".bmp",), (b"BM",), _NO_BRANDS, 10, 0),
    Format("TIFF", (".tif", ".tiff"), _TIFF, _NO_BRANDS, 24, 3),
    Format("WEBP", (".webp",), (b"RIFF",), _NO_BRANDS, 30, 20),
    Format("AVIF", (".avif", ".avifs"), (), _AVIF, 30, 65),
    Format("HEIF", (".heic", ".heics", ".heif", ".heifs", ".hif"), (), _HEIF, 30, 140),
)
FORMATS = {row.name: row for row in _ROWS}
RAW = "RAW"
"""Camera raw files that do not begin as a TIFF does. ``raw.py`` finds a preview in them and in those that do."""
RAW_ENDINGS = (
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2",
    ".srw",
)  # fmt: skip
ENDINGS = tuple(sorted((*(ending for row in _ROWS for ending in row.endings), *RAW_ENDINGS)))
"""Of the names of all files that are read."""
# Of Fujifilm, Olympus (three), and Panasonic and Leica.
_RAW_STARTS = (b"FUJIFILMCCD-RAW ", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_RAW_BRAND = b"crx "  # Canon's CR3
# They say only that there are images or a sequence of them, whatever their codec (ISO/IEC 23008-12).
_ANY_CODEC = frozenset((b"mif1", b"mif2", b"msf1"))
_FILE_TYPE_BOX = 256


def sniff(file: bytes | memoryview) -> str | None:
    """The format in ``FORMATS`` that the first bytes are those of, ``RAW``, or None."""
    data = bytes(file[:_FILE_TYPE_BOX])
    for row in _ROWS:
        if data.startswith(row.starts) and (row.name != "WEBP" or _is_webp(data)):
            return row.name
    if data.startswith(_RAW_STARTS):
        return RAW
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    return None


def _is_webp(data: bytes) -> bool:
    return data[8:12] == b"WEBP" and data[12:16] in (b"VP8 ", b"VP8L", b"VP8X")


def _sniff_brands(data: bytes) -> str | None:
    """A format by the file type box: the major brand, else the compatible ones."""
    box = data[: min(int.from_bytes(data[:4]), _FILE_TYPE_BOX)]
    major, compatible = data[8:12], {box[at : at + 4] for at in range(16, len(box), 4)}
    if major == _RAW_BRAND:
        return RAW
    for brands in ({major} - _ANY_CODEC, compatible, {major}):
        for row in _ROWS:
            if brands & row.brands:
                return row.name
    return None
