"""Image files as trees of pieces: changed piece by piece and put together again with right lengths and checksums.

What changes bytes alone is turned away at the first checksum or length; this reaches what lies behind.
"""

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from tests.hardening import isobmff, jpegs, tiny
from tests.hardening.samples import mutated, real_files

MOST_BYTES = 1 << 20
NUMBERS = (0, 1, 2, 3, 8, 64, 255, 256, 7071, 16_383, 65_535, 50_000_000, 2**31 - 1, 2**31, 2**32 - 1)
"""Numbers for fields; among them the largest sides and areas within the limits."""


@dataclass(frozen=True)
class Piece:
    """A segment, chunk, block, tag or box: its kind, its data, and the pieces after the data in a box that has some."""

    kind: bytes
    data: bytes
    inner: tuple["Piece", ...] | None = None


class Format(NamedTuple):
    """``split`` takes a file apart, ``join`` puts it together; both keep the file as it is if nothing is changed."""

    split: Callable[[bytes], tuple[Piece, ...]]
    join: Callable[[tuple[Piece, ...]], bytes]


def split_jpeg(data: bytes) -> tuple[Piece, ...]:
    """Each marker with its segment; what is compressed belongs to no kind."""
    pieces, at = [], 0
    while at < len(data):
        marker = data[at : at + 2]
        if marker[:1] != b"\xff" or marker[1:] in (b"\0", b"\xff", b""):
            end = next((i for i in range(at + 1, len(data) - 1) if data[i] == 0xFF and data[i + 1]), len(data))
            pieces.append(Piece(b"", data[at:end]))
        elif marker[1] == 1 or 0xD0 <= marker[1] <= 0xD9:
            pieces.append(Piece(marker, b""))
            end = at + 2
        else:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
            pieces.append(Piece(marker, data[at + 4 : end]))
        at = end
    return tuple(pieces)


def join_jpeg(pieces: tuple[Piece, ...]) -> bytes:
    def written(piece: Piece) -> bytes:
        if not piece.kind or piece.kind[1] == 1 or 0xD0 <= piece.kind[1] <= 0xD9:
            return piece.kind + piece.data
        return jpegs.segment(piece.kind, piece.data[: 0xFFFF - 2])

    return b"".join(map(written, pieces))


def split_png(data: bytes) -> tuple[Piece, ...]:
    pieces, at = [Piece(b"", data[:8])], 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        pieces.append(Piece(kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return tuple(pieces)


def join_png(pieces: tuple[Piece, ...]) -> bytes:
    def written(piece: Piece) -> bytes:
        crc = struct.pack(">I", zlib.crc32(piece.kind + piece.data))
        return struct.pack(">I", len(piece.data)) + piece.kind + piece.data + crc if piece.kind else piece.data

    return b"".join(map(written, pieces))


def split_webp(data: bytes) -> tuple[Piece, ...]:
    return _split_riff(data[12:])


def _split_riff(data: bytes) -> tuple[Piece, ...]:
    pieces, at = [], 0
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        content = data[at + 8 : at + 8 + length]
        frame = kind == b"ANMF"
        pieces.append(Piece(kind, content[:16], _split_riff(content[16:])) if frame else Piece(kind, content))
        at += 8 + length + length % 2
    return tuple(pieces)


def join_webp(pieces: tuple[Piece, ...]) -> bytes:
    chunks = _join_riff(pieces)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _join_riff(pieces: tuple[Piece, ...]) -> bytes:
    def written(piece: Piece) -> bytes:
        data = piece.data + _join_riff(piece.inner or ())
        return piece.kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    return b"".join(map(written, pieces))


def split_gif(data: bytes) -> tuple[Piece, ...]:
    """The screen with its colors; then extensions and frames, without the lengths of their sub-blocks."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    pieces = [Piece(b"", data[:at])]
    while at < len(data) and data[at : at + 1] in (b"!", b","):
        start = at
        if data[at : at + 1] == b"!":
            at += 2
        else:
            at += 11 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0)
        kind, blocks = data[start:at], b""
        while at < len(data) and data[at]:
            blocks += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        pieces.append(Piece(kind, blocks))
        at += 1
    return (*pieces, Piece(b"", data[at:]))


def join_gif(pieces: tuple[Piece, ...]) -> bytes:
    def written(piece: Piece) -> bytes:
        if not piece.kind:
            return piece.data
        size = 11 if piece.kind == b"!\xff" else 255  # an application block begins with its own name
        first, rest = piece.data[:size], piece.data[size:]
        parts = [first, *(rest[i : i + 255] for i in range(0, len(rest), 255))] if first else []
        return piece.kind + b"".join(bytes((len(part),)) + part for part in parts) + b"\0"

    return b"".join(map(written, pieces))


def split_tiff(data: bytes) -> tuple[Piece, ...]:
    """The file, then each tag of its first directory: number and type, and count and value."""
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    tags = [data[at + 2 + 12 * i :][:12] for i in range(count)]
    return (Piece(b"", data), *(Piece(tag[:4], tag[4:]) for tag in tags))


def join_tiff(pieces: tuple[Piece, ...]) -> bytes:
    """The directory is written anew behind the file, so that all that it points at stays where it is."""
    file = b"".join(piece.data for piece in pieces if not piece.kind)
    order = "<" if file[:2] == b"II" else ">"
    tags = [piece.kind + piece.data[:8].ljust(8, b"\0") for piece in pieces if piece.kind][:0xFFFF]
    header = file[:4] + struct.pack(order + "I", max(8, len(file)))
    return (header + file[8:]) + struct.pack(order + "H", len(tags)) + b"".join(tags) + bytes(4)


def split_bmff(data: bytes) -> tuple[Piece, ...]:
    pieces = []
    for kind, at, end in isobmff.boxes(data):
        content = data[at + 8 : end]
        skip = isobmff.CONTAINERS.get(kind)
        pieces.append(Piece(kind, content) if skip is None else Piece(kind, content[:skip], split_bmff(content[skip:])))
    return tuple(pieces)


def join_bmff(pieces: tuple[Piece, ...]) -> bytes:
    return b"".join(isobmff.box(piece.kind, piece.data, join_bmff(piece.inner or ())) for piece in pieces)


FORMATS = {
    "jpeg": Format(split_jpeg, join_jpeg),
    "mpo": Format(split_jpeg, join_jpeg),
    "png": Format(split_png, join_png),
    "webp": Format(split_webp, join_webp),
    "gif": Format(split_gif, join_gif),
    "tiff": Format(split_tiff, join_tiff),
    "avif": Format(split_bmff, join_bmff),
    "heif": Format(split_bmff, join_bmff),
}


def seeds() -> dict[str, list[bytes]]:
    """Files of each format to mutate: real ones, and ones whose structure is expensive to decode."""
    files: dict[str, list[bytes]] = {name: [] for name in FORMATS}
    for kind, data in real_files().items():
        if (name := kind.partition("-")[0]) in files:
            files[name].append(data)
    files["jpeg"] += [jpegs.TABLES_ONLY + files["jpeg"][0], jpegs.scans(50, 512)]
    files["webp"].append(tiny.webp(512, 512))
    files["tiff"].append(tiny.TIFFS["tiff, group4"]())
    files["avif"].append(isobmff.grid(2, 2, name="AVIF"))
    files["heif"] += [isobmff.grid(2, 2), isobmff.grid(3, 3, deep=2, once=True), isobmff.overlay(3, 3)]
    files["heif"].append(isobmff.chain(2))
    return files


class Mutator:
    """Makes one file after the other, always the same ones from the same source of randomness."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._files = {name: [FORMATS[name].split(data) for data in files] for name, files in seeds().items()}

    def file(self) -> tuple[str, bytes]:
        """The name of a format, and a file that has nearly its form."""
        name = self._source.choice(list(FORMATS))
        pieces = self._source.choice(self._files[name])
        for _ in range(self._source.choice((1, 1, 2, 3, 8))):
            pieces = self._changed(pieces, self._source.choice(self._files[name]))
        data = FORMATS[name].join(pieces)
        return name, mutated(data, self._source) if self._source.random() < 0.1 else data

    def _changed(self, pieces: tuple[Piece, ...], others: tuple[Piece, ...]) -> tuple[Piece, ...]:
        if not pieces:
            return others
        source = self._source
        at = source.randrange(len(pieces))
        piece, before, after = pieces[at], pieces[:at], pieces[at + 1 :]
        if piece.inner and source.random() < 0.8:
            inside = next((other.inner for other in others if other.kind == piece.kind and other.inner), piece.inner)
            return (*before, replace(piece, inner=self._changed(piece.inner, inside)), *after)
        match source.randrange(10):
            case 0:
                return before + after
            case 1:
                times = source.choice((2, 3, 10, 100, 2000))
                return (*before, *((piece,) * max(1, min(times, MOST_BYTES // (len(piece.data) + 12)))), *after)
            case 2:
                other = source.randrange(len(pieces))
                changed = list(pieces)
                changed[at], changed[other] = changed[other], piece
                return tuple(changed)
            case 3:
                return (piece, *before, *after)
            case 4:
                return (*before, source.choice(others or pieces), piece, *after)
            case 5 if piece.kind:
                return (*before, replace(piece, kind=source.choice(pieces).kind or piece.kind), *after)
            case _:
                return (*before, replace(piece, data=self._data(piece.data)), *after)

    def _data(self, data: bytes) -> bytes:
        source = self._source
        match source.randrange(5):
            case 0:
                return data[: source.randrange(len(data) + 1)]
            case 1:
                return data + source.randbytes(source.choice((1, 2, 8, 300)))
            case 2:
                return mutated(data, source)
            case _:
                width = source.choice((1, 2, 2, 4, 4))
                at = source.randrange(max(1, len(data) - width + 1))
                number = source.choice(NUMBERS) % (1 << 8 * width)
                return data[:at] + number.to_bytes(width, source.choice(("big", "little"))) + data[at + width :]
