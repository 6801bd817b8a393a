"""Camera raw files: the picture in them that every camera makes for viewers.

What the sensor has measured takes a library per camera to develop. Beside it lies at least one JPEG, often of full
size: in a TIFF directory, in a maker's own notes, in boxes, behind a header of its own. It is found by looking for the
first bytes of a JPEG, wherever the maker has put it, so that no maker's structure has to be understood. TIFF
directories are read only for what they say about the file: whether it is raw, which way up it is, and which JPEGs in it
are pieces of what the sensor has measured.

Files come from strangers: every loop has a bound, and this runs in the decoding processes.
"""

import re
import struct
from collections.abc import Iterator, Set
from typing import NamedTuple

from ..errors import UnsupportedImage

_PHOTOMETRIC, _STRIPS, _ORIENTATION, _TILES, _SUB_DIRECTORIES, _DNG_VERSION = 262, 273, 274, 324, 330, 50706
_WANTED = frozenset((_PHOTOMETRIC, _STRIPS, _ORIENTATION, _TILES, _SUB_DIRECTORIES, _DNG_VERSION))
_SENSOR = frozenset((32803, 34892))
"""The photometric interpretations of what a sensor has measured: with a color filter, or each color everywhere."""
_PICTURE = frozenset((0, 1, 2, 6))
"""Those of pictures: gray, RGB, YCbCr. DNG has masks and maps of depth as well."""
_RGB = 2
_CODES = {1: "B", 3: "H", 4: "I", 13: "I"}
"""Of the types of numbers in a directory, for ``struct``."""

# Real files have a tenth of these.
_MOST_DIRECTORIES, _MOST_ENTRIES, _MOST_VALUES = 32, 1024, 1 << 14
_MOST_JPEGS, _MOST_SEGMENTS = 1024, 128
_CR3_METADATA = 1 << 16
"""Bytes at the beginning of a CR3, in which the box with its first directory is."""

_START_OF_IMAGE = b"\xff\xd8\xff"
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Between the samples of a JPEG. 00 and the restart markers, D0 to D7, belong to these."""
_END_OF_IMAGE = 0xD9
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
"""Baseline, extended and progressive."""
_NOT_BEFORE_FRAME = frozenset((*range(0xC0, 0xD0), 0xD8, 0xD9, 0xDA)) - _FRAMES - {0xC4, 0xC8, 0xCC}
"""Other frames (lossless, as a sensor's values are stored, and what no camera writes), another image, samples."""

_Directory = dict[int, tuple[int, ...]]


class RawPreview(NamedTuple):
    file: bytes
    """The preview as a file of its own."""
    format: str
    """JPEG or TIFF."""
    orientation: int
    """By EXIF, for a preview that does not state its own."""


def raw_preview(data: bytes, name: str) -> RawPreview | None:
    """The largest preview in a camera raw file.

    Args:
        data: the file.
        name: its format as ``formats.sniff`` gives it, RAW or TIFF: most raw files begin as a TIFF does.

    Returns:
        None for a TIFF file that is a picture itself.

    Raises:
        UnsupportedImage: it is raw and has no preview.
    """
    directories = _directories(data, _tiff_at(data))
    if name != "RAW" and not _is_raw(data, directories):
        return None
    first = directories[0] if directories else {}
    pieces = {
        at
        for directory in directories
        if directory.get(_PHOTOMETRIC, (_RGB,))[0] not in _PICTURE
        for at in (*directory.get(_STRIPS, ()), *directory.get(_TILES, ()))
    }
    largest = max(_jpegs(data, pieces), key=lambda jpeg: jpeg.pixels, default=None)
    if largest is not None:
        stated = first.get(_ORIENTATION, (1,))[0]
        return RawPreview(data[largest.start : _end(data, largest.frame)], "JPEG", stated)
    if first.get(_PHOTOMETRIC) == (_RGB,):
        return RawPreview(data, "TIFF", 1)
    raise UnsupportedImage("This is a camera raw file without a preview to look at: export the photo as JPEG.")


def _is_raw(data: bytes, directories: list[_Directory]) -> bool:
    """Whether a TIFF file is a camera raw file: DNG, CR2, or one with an image of what a sensor has measured."""
    return (
        data[8:10] == b"CR"
        or any(_DNG_VERSION in directory for directory in directories[:1])
        or any(directory.get(_PHOTOMETRIC, (_RGB,))[0] in _SENSOR for directory in directories)
    )


def _tiff_at(data: bytes) -> int:
    """Where the header before the TIFF directories is; past the end of the file where there is none."""
    if data[4:8] == b"ftyp":
        at = data.find(b"CMT1", 0, _CR3_METADATA)
        return len(data) if at < 0 else at + 4
    return 0


def _directories(data: bytes, start: int) -> list[_Directory]:
    """The wanted entries of all directories, those below others included. Offsets in them count from ``start``."""
    order = {b"II": "<", b"MM": ">"}.get(data[start : start + 2])
    if order is None or len(data) < start + 8:
        return []
    found: list[_Directory] = []
    waiting, seen = [struct.unpack_from(order + "I", data, start + 4)[0]], {0}
    while waiting and len(found) < _MOST_DIRECTORIES:
        offset = waiting.pop(0)
        if offset in seen or len(data) < start + offset + 2:
            continue
        seen.add(offset)
        directory, following = _directory(data, start, offset, order)
        found.append(directory)
        waiting += (following, *directory.get(_SUB_DIRECTORIES, ())[:_MOST_DIRECTORIES])
    return found


def _directory(data: bytes, start: int, offset: int, order: str) -> tuple[_Directory, int]:
    """One directory, and the offset of the following one; 0 for none."""
    at = start + offset + 2
    count = min(struct.unpack_from(order + "H", data, at - 2)[0], _MOST_ENTRIES, (len(data) - at) // 12)
    directory: _Directory = {}
    for tag, kind, number, value in struct.iter_unpack(order + "HHI4s", data[at : at + 12 * count]):
        if tag not in _WANTED or tag in directory or kind not in _CODES or not 0 < number <= _MOST_VALUES:
            continue
        values = struct.Struct(f"{order}{number}{_CODES[kind]}")
        if values.size <= 4:
            directory[tag] = values.unpack_from(value)
        else:
            place = start + struct.unpack(order + "I", value)[0]
            if place + values.size <= len(data):
                directory[tag] = values.unpack_from(data, place)
    end = at + 12 * count
    return directory, struct.unpack_from(order + "I", data, end)[0] if end + 4 <= len(data) else 0


class _Jpeg(NamedTuple):
    start: int
    frame: int
    """Where its start of frame is."""
    pixels: int


def _jpegs(data: bytes, pieces: Set[int]) -> Iterator[_Jpeg]:
    """The JPEGs that can be looked at; ``pieces`` are the places of those that are parts of something else."""
    at, looked_at = data.find(_START_OF_IMAGE), 0
    while at >= 0 and looked_at < _MOST_JPEGS:
        jpeg = None
        if at not in pieces:
            looked_at += 1
            jpeg = _jpeg(data, at)
        if jpeg is not None:
            yield jpeg
        # A JPEG may have a thumbnail in the metadata before its frame.
        at = data.find(_START_OF_IMAGE, at + 1 if jpeg is None else jpeg.frame)


def _jpeg(data: bytes, start: int) -> _Jpeg | None:
    at = start + 2
    for _ in range(_MOST_SEGMENTS):
        segment = data[at : at + 10]
        if len(segment) < 10 or segment[0] != 0xFF or segment[1] in _NOT_BEFORE_FRAME:
            return None
        length = int.from_bytes(segment[2:4])
        if segment[1] in _FRAMES:
            precision, height, width, components = struct.unpack(">BHHB", segment[4:10])
            usual = precision == 8 and components in (1, 3) and length == 8 + 3 * components
            return _Jpeg(start, at, width * height) if usual and width * height else None
        at += 1 if segment[1] == 0xFF else 2 + max(2, length)  # FF may be repeated before a marker
    return None


def _end(data: bytes, at: int) -> int:
    """Where the JPEG ends of which a segment begins here."""
    for _ in range(_MOST_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None:
            break
        if data[marker.start() + 1] == _END_OF_IMAGE:
            return marker.end()
        at = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2]))
    return len(data)
