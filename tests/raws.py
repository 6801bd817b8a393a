"""Camera raw files as the makers lay them out, around previews that are given; what the sensor measured is noise."""

import random
import struct
from collections.abc import Callable, Mapping, Sequence

from PIL import Image

from tests.pictures import encoded, photo

BYTE, SHORT, LONG, UNDEFINED = 1, 3, 4, 7
_FORMS = {BYTE: "B", SHORT: "H", LONG: "I", UNDEFINED: "B"}
_CFA, _LINEAR, _RGB, _YCBCR = 32803, 34892, 2, 6
_NEW_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _ORIENTATION, _STRIP_SIZES = 254, 259, 262, 273, 274, 279
_TILES, _TILE_SIZES, _SUB_DIRECTORIES, _JPEG, _JPEG_SIZE = 324, 325, 330, 513, 514
_EXIF, _MAKER_NOTE, _DNG_VERSION, _JPEG_OF_RAW = 34665, 37500, 50706, 0x2E
Entries = Mapping[int, tuple[int, Sequence[int]]]


class TiffFile:
    """A file with TIFF directories. What is referred to is written before what refers to it.

    Args:
        order: "<" or ">".
        magic: the first four bytes.
        more: what follows the header.
    """

    def __init__(self, order: str = "<", magic: bytes = b"", more: bytes = b"") -> None:
        self._order = order
        self._data = bytearray((magic or (b"II*\0" if order == "<" else b"MM\0*")) + bytes(4) + more)

    def put(self, data: bytes) -> int:
        """Append data; returns its offset."""
        self._data += bytes(len(self._data) % 2)
        self._data += data
        return len(self._data) - len(data)

    def directory(self, entries: Entries, following: int = 0) -> int:
        """Append a directory; returns its offset."""
        fields = b""
        for tag, (kind, values) in sorted(entries.items()):
            packed = struct.pack(f"{self._order}{len(values)}{_FORMS[kind]}", *values)
            field = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(self._order + "I", self.put(packed))
            fields += struct.pack(self._order + "HHI", tag, kind, len(values)) + field
        return self.put(
            struct.pack(self._order + "H", len(entries)) + fields + struct.pack(self._order + "I", following)
        )

    def end(self, first: int) -> bytes:
        """The file, with its first directory at this offset."""
        self._data[4:8] = struct.pack(self._order + "I", first)
        return bytes(self._data)


def _sensor() -> bytes:
    """Noise, with what looks like the beginning of a JPEG in it."""
    noise = random.Random(1).randbytes
    return noise(3000) + b"\xff\xd8\xff" + noise(3000) + b"\xff\xd8\xff\xc0\0\x11" + noise(3000)


def _lossless() -> bytes:
    """What begins like a JPEG as DNG and CR2 have it, lossless and of 14 bits, with more pixels than any preview."""
    frame = b"\xff\xc3" + struct.pack(">HBHHB", 14, 14, 4000, 3000, 2) + b"\1\x11\0\2\x11\0"
    return b"\xff\xd8" + frame + b"\xff\xda\0\x0a\2\1\0\2\0\1\0\0" + _sensor().replace(b"\xff", b"\xff\0") + b"\xff\xd9"


def _thumbnail() -> bytes:
    return encoded(photo((96, 72), 9), "JPEG")


def _raw(file: TiffFile, compression: int, data: bytes, photometric: int = _CFA) -> dict[int, tuple[int, list[int]]]:
    return {
        _NEW_SUBFILE_TYPE: (LONG, [0]),
        _COMPRESSION: (SHORT, [compression]),
        _PHOTOMETRIC: (SHORT, [_CFA]),
        _STRIPS: (LONG, [file.put(data)]),
        _STRIP_SIZES: (LONG, [len(data)]),
    }


def _thumbnail_strip(file: TiffFile) -> dict[int, tuple[int, list[int]]]:
    """A picture of 16 by 12 pixels without compression."""
    size = {256: (SHORT, [16]), 257: (SHORT, [12]), 258: (SHORT, [8, 8, 8]), 277: (SHORT, [3]), 278: (SHORT, [12])}
    pixels = photo((16, 12), 9).tobytes()
    places = {_STRIPS: (LONG, [file.put(pixels)]), _STRIP_SIZES: (LONG, [len(pixels)])}
    kind = {_NEW_SUBFILE_TYPE: (LONG, [1]), _COMPRESSION: (SHORT, [1]), _PHOTOMETRIC: (SHORT, [_RGB])}
    return size | places | kind


def _jpeg_at(file: TiffFile, jpeg: bytes) -> dict[int, tuple[int, list[int]]]:
    return {_COMPRESSION: (SHORT, [6]), _JPEG: (LONG, [file.put(jpeg)]), _JPEG_SIZE: (LONG, [len(jpeg)])}


def dng(preview: bytes, orientation: int = 1, *, lossy: bool = False) -> bytes:
    """``lossy``: what the sensor measured is in tiles that are JPEGs of another picture, larger than the preview."""
    file = TiffFile()
    if lossy:
        tile = encoded(photo((512, 512), 8), "JPEG")
        tiles = [file.put(tile) for _ in range(4)]
        raw = {_PHOTOMETRIC: (SHORT, [_LINEAR]), _TILES: (LONG, tiles), _TILE_SIZES: (LONG, [len(tile)] * 4)}
    else:
        raw = _raw(file, 7, _lossless())
    shown = {
        _NEW_SUBFILE_TYPE: (LONG, [1]),
        _COMPRESSION: (SHORT, [7]),
        _PHOTOMETRIC: (SHORT, [_YCBCR]),
        _STRIPS: (LONG, [file.put(preview)]),
        _STRIP_SIZES: (LONG, [len(preview)]),
    }
    below = [file.directory(raw), file.directory(shown)]
    own = {_ORIENTATION: (SHORT, [orientation]), _DNG_VERSION: (BYTE, [1, 4, 0, 0]), _SUB_DIRECTORIES: (LONG, below)}
    return file.end(file.directory(_thumbnail_strip(file) | own))


def dng_without_jpeg() -> bytes:
    """Has a small picture without compression, and no other."""
    file = TiffFile()
    own = {_DNG_VERSION: (BYTE, [1, 4, 0, 0]), _SUB_DIRECTORIES: (LONG, [file.directory(_raw(file, 7, _lossless()))])}
    return file.end(file.directory(_thumbnail_strip(file) | own))


def dng_without_preview() -> bytes:
    file = TiffFile()
    return file.end(file.directory(_raw(file, 1, _sensor()) | {_DNG_VERSION: (BYTE, [1, 4, 0, 0])}))


def nef(preview: bytes, orientation: int = 1) -> bytes:
    file = TiffFile(">")
    below = [file.directory(_jpeg_at(file, preview)), file.directory(_raw(file, 34713, _sensor()))]
    own = {_ORIENTATION: (SHORT, [orientation]), _SUB_DIRECTORIES: (LONG, below)}
    return file.end(file.directory(_thumbnail_strip(file) | own))


def arw(preview: bytes, orientation: int = 1) -> bytes:
    file = TiffFile()
    thumbnail = file.directory(_jpeg_at(file, _thumbnail()))
    own = {
        _NEW_SUBFILE_TYPE: (LONG, [1]),
        _ORIENTATION: (SHORT, [orientation]),
        _SUB_DIRECTORIES: (LONG, [file.directory(_raw(file, 32767, _sensor()))]),
    }
    return file.end(file.directory(_jpeg_at(file, preview) | own, thumbnail))


def cr2(preview: bytes, orientation: int = 1) -> bytes:
    file = TiffFile(more=b"CR\2\0" + bytes(4))
    raw = {_COMPRESSION: (SHORT, [6]), _STRIPS: (LONG, [file.put(_lossless())])}
    thumbnail = file.directory(_jpeg_at(file, _thumbnail()), file.directory(raw))
    own = {_COMPRESSION: (SHORT, [6]), _STRIPS: (LONG, [file.put(preview)]), _ORIENTATION: (SHORT, [orientation])}
    return file.end(file.directory(own, thumbnail))


def pef(preview: bytes, orientation: int = 1) -> bytes:
    file = TiffFile(">")
    shown = file.directory(_jpeg_at(file, preview))
    thumbnail = file.directory(_jpeg_at(file, _thumbnail()), shown)
    own = _raw(file, 65535, _sensor()) | {_ORIENTATION: (SHORT, [orientation])}
    return file.end(file.directory(own, thumbnail))


def orf(preview: bytes, orientation: int = 1) -> bytes:
    """With the preview in the maker's own notes, whose offsets count from somewhere else."""
    file = TiffFile(magic=b"IIRO")
    note = b"OLYMPUS\0II\3\0" + bytes(20) + preview
    exif = file.directory({_MAKER_NOTE: (UNDEFINED, list(note))})
    raw = {_COMPRESSION: (SHORT, [1]), _STRIPS: (LONG, [file.put(_sensor())])}
    return file.end(file.directory(raw | {_ORIENTATION: (SHORT, [orientation]), _EXIF: (LONG, [exif])}))


def rw2(preview: bytes, orientation: int = 1) -> bytes:
    file = TiffFile(magic=b"IIU\0")
    own = {_JPEG_OF_RAW: (UNDEFINED, list(preview)), _ORIENTATION: (SHORT, [orientation])}
    first = file.directory(own)
    file.put(_sensor())
    return file.end(first)


def raf(preview: bytes, orientation: int = 1) -> bytes:
    """The orientation is in the preview's own metadata."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    block = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    jpeg = preview[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + preview[2:]
    head = b"FUJIFILMCCD-RAW 0201FF389501X-T4".ljust(84, b"\0")
    raw_at = 148 + len(jpeg)
    return (head + struct.pack(">6I", 148, len(jpeg), raw_at, 0, raw_at, 9000)).ljust(148, b"\0") + jpeg + _sensor()


def cr3(preview: bytes, orientation: int = 1) -> bytes:
    metadata = TiffFile()
    first = metadata.end(metadata.directory({_ORIENTATION: (SHORT, [orientation])}))
    small = _thumbnail()
    thumbnail = _box(b"THMB", struct.pack(">IHHI4x", 0, 96, 72, len(small)) + small)
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + _box(b"CNCV", b"CanonCR3_001/01.09.00/00.00.00")
    moov = _box(b"moov", _box(b"uuid", canon + _box(b"CMT1", first) + thumbnail))
    return b"".join((_box(b"ftyp", b"crx \0\0\0\1crx isom"), moov, _box(b"mdat", preview + _sensor())))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


MAKERS: Mapping[str, Callable[..., bytes]] = {
    "DNG": dng, "NEF": nef, "ARW": arw, "CR2": cr2, "PEF": pef, "ORF": orf, "RW2": rw2, "RAF": raf, "CR3": cr3,
}  # fmt: skip
"""Each takes a preview and its orientation."""
