"""Crop and turn of AVIF and HEIC: the file's boxes count, and nothing else, in the same way in both."""

import struct
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from backend.clip.errors import CorruptImage
from backend.clip.photos.image import read_photo
from backend.clip.photos.isobmff import Cicp, Properties, crop_box, properties_of
from backend.clip.photos.preprocessing import Preprocessing
from tests.hardening.isobmff import Item, box, boxes, build, find, full_box
from tests.pictures import encoded, photo

SIZE = (192, 128)
PICTURE = photo(SIZE)
FORMATS = ["AVIF", "HEIF"]
BEST: dict[str, dict[str, Any]] = {"AVIF": {"quality": 100, "speed": 10}, "HEIF": {"quality": -1, "chroma": 444}}
ESSENTIAL = 0x80
"""Marks the index of a property that has to be understood, as those that crop and turn are marked."""
KEPT = (b"hvcC", b"av1C", b"ispe", b"pixi", b"colr")


def file(name: str, *more: bytes) -> bytes:
    """The picture with more properties, in their order."""
    made = encoded(PICTURE, name, **BEST[name])
    stored = find(made, b"meta", b"iprp", b"ipco")
    kept = [stored[at:stop] for kind, at, stop in boxes(stored) if kind in KEPT]
    brand, kind = (b"avif", b"av01") if name == "AVIF" else (b"heic", b"hvc1")
    own, added = range(1, len(kept) + 1), range(len(kept) + 1, len(kept) + len(more) + 1)
    indices = (*own, *(ESSENTIAL | index for index in added))
    return build([Item(kind, find(made, b"mdat"), indices)], [*kept, *more], brand)


def clap(width: int, height: int, right: tuple[int, int] = (0, 1), below: tuple[int, int] = (0, 1)) -> bytes:
    return box(b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, *right, *below))


def irot(quarters: int) -> bytes:
    """Turned to the left so many times."""
    return box(b"irot", bytes([quarters]))


def imir(axis: int) -> bytes:
    """Mirrored: 0 exchanges top and bottom, 1 left and right."""
    return box(b"imir", bytes([axis]))


def require_shown(data: bytes, expected: Image.Image) -> None:
    whole = Preprocessing(expected.size[::-1], "squash")
    read = read_photo(data, whole)
    assert read.size == expected.size
    assert np.abs(read.pixels.astype(int) - np.asarray(expected)).mean() < 4


LEFT = Image.Transpose.ROTATE_90


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("right", "below", "corner"),
    [
        ((0, 1), (0, 1), (32, 24)),
        ((-32, 1), (24, 1), (0, 48)),
        ((32, 1), (-24, 1), (64, 0)),
        ((-30, 2), (10, 5), (17, 26)),
    ],
)
def test_crop(name: str, right: tuple[int, int], below: tuple[int, int], corner: tuple[int, int]) -> None:
    left, top = corner
    expected = PICTURE.crop((left, top, left + 128, top + 80))
    require_shown(file(name, clap(128, 80, right, below)), expected)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirrored", [None, 0, 1])
def test_crop_turn_and_mirror_in_this_order(name: str, quarters: int, mirrored: int | None) -> None:
    expected = PICTURE.crop((0, 48, 128, 128))
    for _ in range(quarters):
        expected = expected.transpose(LEFT)
    more = [clap(128, 80, (-32, 1), (24, 1)), irot(quarters)]
    if mirrored is not None:
        flip = Image.Transpose.FLIP_LEFT_RIGHT if mirrored else Image.Transpose.FLIP_TOP_BOTTOM
        expected, more = expected.transpose(flip), [*more, imir(mirrored)]
    require_shown(file(name, *more), expected)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("metadata", ["exif", "xmp"])
def test_orientation_that_stands_in_metadata_alone_turns_nothing(name: str, metadata: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options: dict[str, Any] = {"exif": exif.tobytes()} if metadata == "exif" else {"xmp": XMP}
    data = encoded(PICTURE, name, **BEST[name], **options)
    # The encoders translate EXIF's orientation into a box as well: it is made to turn nothing.
    if b"irot" in data:
        at = data.index(b"irot") + 4
        data = data[:at] + b"\0" + data[at + 1 :]
    require_shown(data, PICTURE)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "aperture",
    [
        box(b"clap", bytes(32)),
        box(b"clap", bytes(8)),
        clap(0, 0),
        box(b"clap", struct.pack(">IIIIiIiI", 128, 0, 80, 1, 0, 1, 0, 1)),
    ],
)
def test_an_aperture_that_makes_no_sense(name: str, aperture: bytes) -> None:
    """What is refused for it is refused by the decoder itself; nothing fails otherwise."""
    with suppress(CorruptImage):
        assert read_photo(file(name, aperture), Preprocessing((64, 64))).size == SIZE


def test_an_aperture_outside_of_the_picture_is_left_out() -> None:
    for width, height, right in ((400, 80, 0), (128, 80, 500), (128, 80, -500)):
        aperture = (Fraction(width), Fraction(height), Fraction(right), Fraction(0))
        assert crop_box(Properties(None, aperture), SIZE) is None


def test_the_halves_of_pixels_are_rounded_as_libheif_does() -> None:
    aperture = (Fraction(385), Fraction(330), Fraction(103), Fraction(-308))
    assert crop_box(Properties(None, aperture), (722, 1024)) == (271, 39, 656, 369)


def test_the_colors_of_the_primary_item_count() -> None:
    data = file("AVIF", full_box(b"pasp", 0))
    at = data.index(b"nclx") + 4
    changed = data[:at] + struct.pack(">HH", 9, 16) + data[at + 4 :]
    assert properties_of(changed).cicp == Cicp(9, 16)


def test_files_that_claim_much_are_read_in_bounds() -> None:
    """Each of megabytes; a walk without bounds would take minutes."""
    meta = file("AVIF")
    inner = meta[meta.index(b"meta") - 4 :]
    for data in (
        box(b"free") * 1_000_000 + inner,
        meta[: meta.index(b"ipco") + 4] + box(b"free") * 1_000_000,
        full_box(b"meta", 0, box(b"iprp", box(b"ipco", box(b"free") * 1_000_000))),
        full_box(
            b"meta", 0, full_box(b"pitm", 0, b"\0\1"), box(b"iprp", box(b"ipco"), full_box(b"ipma", 0, b"\xff" * 4))
        ),
        b"",
        b"\0" * 1000,
    ):
        assert properties_of(data) == Properties()
    for cut in range(0, len(meta), 7):
        properties_of(meta[:cut])
