"""The properties of the picture that an AVIF or HEIF file shows, from its boxes (ISO/IEC 14496-12 and 23008-12).

Pillow's plugin for AVIF tells neither colors nor crop. Nothing is decoded here, and nothing is read that has no bound.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

# A photo in a grid of 512 tiles has some 600; a file can claim millions.
_MAX_BOXES = 4096
_SAMPLES_ARE_IN_TRACKS = b"avis"


class Cicp(NamedTuple):
    """How colors are coded, by the numbers of ITU-T H.273."""

    primaries: int
    transfer: int


class Properties(NamedTuple):
    """What the file states of its primary item; None for what it does not."""

    cicp: Cicp | None = None
    clean_aperture: tuple[Fraction, Fraction, Fraction, Fraction] | None = None
    """Width and height of what is shown, and how far its middle is right of and below that of the picture."""


def properties_of(data: bytes) -> Properties:
    """The properties of the primary item; none where the file has no such item, or cannot be read."""
    try:
        if data[8:12] == _SAMPLES_ARE_IN_TRACKS:
            return Properties()
        return _properties(data)
    except (struct.error, IndexError, KeyError, ZeroDivisionError):
        return Properties()


def crop_box(properties: Properties, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, upper, right and lower edge of what is shown of a picture of this width and height, as libheif rounds them.

    None where all is shown, or where the aperture is outside of the picture.
    """
    if properties.clean_aperture is None:
        return None
    edges: list[tuple[int, int]] = []
    width, height, right, below = properties.clean_aperture
    for whole, part, offset in ((size[0], width, right), (size[1], height, below)):
        start = int((offset + Fraction(whole - part, 2)) // 1)
        edges.append((start, start + round(part)))
    (left, right_edge), (top, bottom) = edges
    inside = 0 <= left < right_edge <= size[0] and 0 <= top < bottom <= size[1]
    return (left, top, right_edge, bottom) if inside else None


def _properties(data: bytes) -> Properties:
    view = memoryview(data)
    meta = dict(_boxes(_only(view, b"meta")[4:]))
    item = _primary_item(meta[b"pitm"])
    parts = dict(_boxes(meta[b"iprp"]))
    stated = list(_boxes(parts[b"ipco"]))
    cicp, aperture = None, None
    for index in _indices(parts[b"ipma"], item):
        kind, content = stated[index - 1] if 0 < index <= len(stated) else (b"", memoryview(b""))
        if kind == b"colr" and bytes(content[:4]) == b"nclx" and cicp is None:
            cicp = Cicp(*struct.unpack_from(">HH", content, 4))
        elif kind == b"clap" and aperture is None:
            numbers = struct.unpack_from(">IIIIiIiI", content)
            width, height, right, below = (Fraction(*numbers[at : at + 2]) for at in (0, 2, 4, 6))
            aperture = width, height, right, below
    return Properties(cicp, aperture)


def _only(view: memoryview, kind: bytes) -> memoryview:
    return next((content for found, content in _boxes(view) if found == kind), memoryview(b""))


def _boxes(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Each box's kind and content; what does not fit ends the walk."""
    return islice(_all_boxes(view), _MAX_BOXES)


def _all_boxes(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(view):
        size, kind = struct.unpack_from(">I4s", view, at)
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", view, begin)
            begin += 8
        end = at + size if size else len(view)
        if not begin <= end <= len(view):
            return
        yield kind, view[begin:end]
        at = end


def _primary_item(pitm: memoryview) -> int:
    (item,) = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)
    return int(item)


def _indices(ipma: memoryview, wanted: int) -> list[int]:
    """The positions of an item's properties, from 1."""
    version, wide = ipma[0], ipma[3] & 1
    (entries,) = struct.unpack_from(">I", ipma, 4)
    at, head = 8, struct.Struct(">IB" if version else ">HB")
    for _ in range(min(entries, _MAX_BOXES)):
        item, count = head.unpack_from(ipma, at)
        at += head.size
        if item == wanted:
            form, mask = (f">{count}H", 0x7FFF) if wide else (f">{count}B", 0x7F)
            return [index & mask for index in struct.unpack_from(form, ipma, at)]
        at += count << wide
    return []
