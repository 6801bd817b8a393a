"""HEIF and AVIF files built box by box (ISO/IEC 14496-12 and 23008-12), with derived images of any shape."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image

from tests.pictures import encoded

CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iinf": 6, b"iref": 4, b"moov": 0, b"trak": 0, b"dinf": 0}
"""Boxes that hold boxes, to how many bytes come before the first of them."""


@dataclass(frozen=True)
class Item:
    """An image item: its data, its properties as indices from 1, and the items that it is derived from."""

    kind: bytes
    data: bytes = b""
    properties: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Coded:
    """A picture as HEVC or AV1, taken from a file that an encoder made."""

    brand: bytes
    kind: bytes
    data: bytes
    properties: tuple[bytes, ...]
    size: tuple[int, int]


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + kind + data


def full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, bytes((version, 0, 0, 0)), *parts)


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Each box's kind, and where it begins and ends; what does not fit ends the walk."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        stop = at + size if size else end
        if not at + 8 <= stop <= end:
            return
        yield kind, at, stop
        at = stop


def find(data: bytes, *path: bytes) -> bytes:
    """What the box at this path holds. Raises StopIteration where there is none."""
    for kind in path:
        at, stop = next((at, stop) for found, at, stop in boxes(data) if found == kind)
        data = data[at + 8 + CONTAINERS.get(kind, 0) : stop]
    return data


@cache
def coded(size: tuple[int, int] = (64, 64), name: str = "HEIF") -> Coded:
    """A flat gray picture of this size."""
    file = encoded(Image.new("RGB", size, (90, 120, 150)), name, **({"speed": 10} if name == "AVIF" else {}))
    properties = find(file, b"meta", b"iprp", b"ipco")
    kept = [properties[at:stop] for kind, at, stop in boxes(properties) if kind in (b"hvcC", b"av1C", b"ispe", b"pixi")]
    brand, kind = (b"avif", b"av01") if name == "AVIF" else (b"heic", b"hvc1")
    return Coded(brand, kind, find(file, b"mdat"), tuple(kept), size)


def ispe(size: tuple[int, int]) -> bytes:
    """The property that states an image's width and height."""
    return full_box(b"ispe", 0, struct.pack(">II", *size))


def build(items: Sequence[Item], properties: Sequence[bytes], brand: bytes = b"heic") -> bytes:
    """A file of these items, numbered from 1; the last is the primary one. Items with the same data share it."""
    infe = [
        full_box(b"infe", 2, struct.pack(">HH", number, 0), item.kind, b"\0") for number, item in enumerate(items, 1)
    ]
    iref = [
        box(b"dimg", struct.pack(f">HH{len(item.parts)}H", number, len(item.parts), *item.parts))
        for number, item in enumerate(items, 1)
        if item.parts
    ]
    offsets: dict[bytes, int] = {}
    idat = b""
    for item in items:
        if item.data not in offsets:
            offsets[item.data] = len(idat)
            idat += item.data
    iloc = [
        struct.pack(">HHHHII", number, 1, 0, 1, offsets[item.data], len(item.data))
        for number, item in enumerate(items, 1)
        if item.data
    ]
    ipma = [
        struct.pack(">HB", number, len(item.properties)) + bytes(item.properties)
        for number, item in enumerate(items, 1)
    ]
    meta = full_box(
        b"meta",
        0,
        full_box(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", 0, struct.pack(">H", len(items))),
        full_box(b"iloc", 1, b"\x44\0", struct.pack(">H", len(iloc)), *iloc),
        full_box(b"iinf", 0, struct.pack(">H", len(infe)), *infe),
        *([full_box(b"iref", 0, *iref)] if iref else []),
        box(
            b"iprp",
            box(b"ipco", *properties),
            full_box(b"ipma", 0, struct.pack(">I", len(ipma)), *ipma),
        ),
        box(b"idat", idat),
    )
    return box(b"ftyp", brand, bytes(4), b"mif1", brand) + meta


def _layers(source: Coded, size: tuple[int, int], layers: Sequence[tuple[bytes, int]]) -> bytes:
    """Layers of derived images, each a kind and how many; every image is made of all those of the layer below.

    The last image is the primary one, and all have this size.
    """
    own = tuple(range(1, len(source.properties) + 1))
    below = layers[0][1]
    items = [Item(source.kind, source.data, own)] * below
    for kind, count in [*layers[1:], (layers[-1][0], 1)]:
        parts = tuple(range(len(items) - below + 1, len(items) + 1))
        canvas = struct.pack(">BB4H2I", 0, 1, 0, 0, 0, 0xFFFF, *size) + bytes(8 * below)
        items += [Item(kind, canvas if kind == b"iovl" else b"", (len(own) + 1,), parts)] * count
        below = count
    return build(items, [*source.properties, ispe(size)], source.brand)


def overlay(wide: int, deep: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """An ``iovl`` of so many images, each of them an ``iovl`` of so many images, and so on."""
    return _layers(coded(size), size, [(b"iovl", wide)] * deep)


def chain(deep: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """``iden`` of ``iovl`` of ``iden`` of ``iovl`` … of a picture: ``iden`` of ``iden`` is against the rules."""
    return _layers(coded(size), size, [(b"iovl", 1), (b"iden", 1)] * deep)


def grid(
    rows: int,
    columns: int,
    *,
    tile: tuple[int, int] = (64, 64),
    name: str = "HEIF",
    deep: int = 1,
    once: bool = False,
    shown: tuple[int, int] | None = None,
) -> bytes:
    """A ``grid`` of tiles that share one picture's data; with ``once`` they are one item, which is named many times.

    With ``deep`` it is the tile of such a grid, and so on; ``shown`` is what is left of the last one, and else all.
    """
    source = coded(tile, name)
    properties = list(source.properties)
    own = tuple(range(1, len(properties) + 1))
    items = [Item(source.kind, source.data, own)] * (1 if once else rows * columns)
    parts = (1,) * (rows * columns) if once else tuple(range(1, rows * columns + 1))
    width, height = tile
    for level in range(deep, 0, -1):
        width, height = (width * columns, height * rows) if level > 1 or shown is None else shown
        properties.append(ispe((width, height)))
        data = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)
        # libavif wants to know of a grid as much as of its tiles.
        same = tuple(i for i in own if properties[i - 1][4:8] != b"ispe")
        items = [*items, Item(b"grid", data, (len(properties), *same), parts)]
        parts = (len(items),) * (rows * columns)
    return build(items, properties, source.brand)
