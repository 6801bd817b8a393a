"""TIFF of every layout of samples: read as they were written, or refused by name. The writer is ``tests/tiffs.py``."""

import io
import re
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from backend.clip.errors import UnsupportedImage
from backend.clip.photos.image import read_photo, read_pixels
from backend.clip.photos.preprocessing import Preprocessing
from tests.pictures import encoded, photo
from tests.tiffs import BLACK_IS_ZERO, CMYK, FLOAT, LONG, RGB, SHORT, WHITE_IS_ZERO, tiff

SIZE = (83, 61)
PICTURE = photo(SIZE)
COLORS = np.asarray(PICTURE)
GRAYS = np.asarray(PICTURE.convert("L"))[..., np.newaxis]
INKS = np.asarray(PICTURE.convert("CMYK"))
ALPHA = np.tile(np.linspace(0, 255, SIZE[0]).astype(np.uint8)[:, np.newaxis], (SIZE[1], 1, 1))
WANTED = Preprocessing((61, 61))
_NEVER_WRITTEN = ("tiff_raw_16", "tiff_thunderscan", "tiff_sgilog", "tiff_sgilog24")
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2
S_MIN, S_MAX, MAX = 340, 341, 281
SOURCES = {
    "gray": (BLACK_IS_ZERO, GRAYS, ()),
    "gray, inverted": (WHITE_IS_ZERO, 255 - GRAYS, ()),
    "gray and more": (BLACK_IS_ZERO, np.dstack([GRAYS, ALPHA]), (UNSPECIFIED,)),
    "gray and alpha": (BLACK_IS_ZERO, np.dstack([GRAYS, ALPHA]), (UNASSOCIATED,)),
    "gray times alpha": (BLACK_IS_ZERO, np.dstack([np.round(GRAYS * (ALPHA / 255)), ALPHA]), (ASSOCIATED,)),
    "rgb": (RGB, COLORS, ()),
    "rgb and more": (RGB, np.dstack([COLORS, ALPHA]), (UNSPECIFIED,)),
    "rgb and alpha": (RGB, np.dstack([COLORS, ALPHA]), (UNASSOCIATED,)),
    "rgb times alpha": (RGB, np.dstack([np.round(COLORS * (ALPHA / 255)), ALPHA]), (ASSOCIATED,)),
    "cmyk": (CMYK, INKS, ()),
    "cmyk and more": (CMYK, np.dstack([INKS, ALPHA]), (UNSPECIFIED,)),
}
KINDS = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32")
LAYOUTS = list(product("<>", (False, True), ((1, 1), (8, 1), (8, 2)), (0, 32)))


def shown(source: str) -> NDArray[np.uint8]:
    """What a viewer shows of a source, on white."""
    colors = np.repeat(GRAYS, 3, axis=2) if source.startswith("gray") else COLORS
    if source.startswith("cmyk"):
        colors = np.asarray(Image.fromarray(INKS, "CMYK").convert("RGB"))
    if "alpha" in source:
        colors = np.round(255 - (255.0 - colors) * (ALPHA / 255)).astype(np.uint8)
    return colors


def widened(levels: NDArray[np.generic], kind: str) -> NDArray[np.generic]:
    """Levels from 0 to 255 over the whole range of a type."""
    if kind == "float32":
        return (levels / 255).astype(np.float32)  # type: ignore[operator, no-any-return]
    limits = np.iinfo(kind)
    steps = (int(limits.max) - int(limits.min)) // 255
    return (levels.astype(np.int64) * steps + limits.min).astype(kind)


def difference(data: bytes, expected: NDArray[np.uint8]) -> float:
    """The mean difference in levels."""
    wanted = read_pixels(encoded(Image.fromarray(expected), "PNG"), WANTED)
    return float(np.abs(read_pixels(data, WANTED).astype(int) - wanted).mean())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_read_is_right_and_the_rest_is_refused_by_name(source: str, kind: str) -> None:
    photometric, levels, extra = SOURCES[source]
    verdicts = set()
    for order, planar, (compression, predictor), tile in LAYOUTS:
        if kind == "float32" and predictor == 2:
            continue
        data = tiff(
            widened(levels, kind), photometric, order=order, planar=planar, compression=compression,
            predictor=predictor, extra=extra, tile=tile, rows=17,
        )  # fmt: skip
        refusal = ""
        try:
            assert difference(data, shown(source)) < 1, (order, planar, compression, predictor, tile)
        except UnsupportedImage as error:
            refusal = str(error)
        verdicts.add("refused" if refusal else "read")
        assert not refusal or re.fullmatch(r"This TIFF has .*\. Save it as a PNG or TIFF of 8 bits\.", refusal)

    usual = kind == "uint8" or (kind == "uint16" and "gray a" not in source and "gray times" not in source)
    plain_gray = source in ("gray", "gray, inverted") and kind in ("uint16", "uint32", "float32")
    if plain_gray or (usual and source in ("gray", "gray, inverted", "rgb", "rgb and more", "rgb and alpha", "cmyk")):
        assert verdicts == {"read"}
    elif kind.startswith("int"):
        assert verdicts == {"refused"}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("photometric", [BLACK_IS_ZERO, WHITE_IS_ZERO])
@pytest.mark.parametrize("bits", [4, 12])
def test_samples_without_gaps(bits: int, photometric: int, order: str) -> None:
    peak = 2**bits - 1
    samples = np.round(GRAYS.astype(np.int64) * peak / 255).astype(np.uint16)
    stored = peak - samples if photometric == WHITE_IS_ZERO else samples

    data = tiff(stored.astype(np.uint16), photometric, order=order, packed=bits)

    levels = np.round(samples * (255 / peak)).astype(np.uint8)
    assert difference(data, np.repeat(levels, 3, axis=2)) < 1


Tags = Mapping[int, tuple[int, Sequence[float]]]


@pytest.mark.parametrize(
    ("kind", "lowest", "highest", "tags"),
    [
        ("uint16", 0, 4095, {S_MAX: (SHORT, [4095])}),
        ("uint16", 0, 4095, {MAX: (SHORT, [4095])}),
        ("uint16", 1000, 5000, {S_MIN: (SHORT, [1000]), S_MAX: (SHORT, [5000])}),
        ("uint32", 0, 70_000, {S_MAX: (LONG, [70_000])}),
        ("int16", 0, 32_767, {S_MIN: (SHORT, [0]), S_MAX: (SHORT, [32_767])}),
        ("int32", 0, 65_535, {S_MIN: (LONG, [0]), S_MAX: (LONG, [65_535])}),
        ("float32", -1, 3, {S_MIN: (FLOAT, [-1]), S_MAX: (FLOAT, [3])}),
    ],
)
def test_a_range_that_is_declared_is_obeyed(kind: str, lowest: int, highest: int, tags: Tags) -> None:
    samples = (GRAYS / 255 * (highest - lowest) + lowest).astype(kind)

    assert difference(tiff(samples, BLACK_IS_ZERO, tags=tags), np.repeat(GRAYS, 3, axis=2)) < 1


@pytest.mark.parametrize(
    ("samples", "photometric", "words"),
    [
        (GRAYS.astype(np.uint16) * 16, BLACK_IS_ZERO, "samples of 16 bits of which none is above 3,"),
        (COLORS.astype(np.uint16) * 16, RGB, "samples of 16 bits of which none is above"),
        (GRAYS.astype(np.uint32) * 257, BLACK_IS_ZERO, "samples of 32 bits of which none is above"),
        (GRAYS.astype(np.int16) * 100, BLACK_IS_ZERO, "signed samples of 16 bits, and does not state"),
        (GRAYS.astype(np.int32) * 257, BLACK_IS_ZERO, "signed samples of 32 bits, and does not state"),
        (GRAYS.astype(np.float32), BLACK_IS_ZERO, "floating-point samples from "),
        (COLORS.astype(np.float32) / 255, RGB, "3 floating-point samples of 32 bits a pixel, RGB"),
        (COLORS.astype(np.float64) / 255, RGB, "3 floating-point samples of 64 bits a pixel, RGB"),
        (COLORS, 9, "3 samples of 8 bits a pixel, ICCLAB"),
        (COLORS, 32803, "a camera raw file without a preview"),
    ],
)
def test_what_is_not_certain_is_refused_by_name(samples: NDArray[np.generic], photometric: int, words: str) -> None:
    with pytest.raises(UnsupportedImage, match=words):
        read_photo(tiff(samples, photometric), WANTED)


@pytest.mark.parametrize("compression", [50001, 50002])
def test_a_compression_that_is_not_read_is_named(compression: int) -> None:
    with pytest.raises(UnsupportedImage, match=f"compressed by method {compression}"):
        read_photo(tiff(COLORS, RGB, compression=compression), WANTED)


@pytest.mark.parametrize("number", TiffImagePlugin.COMPRESSION_INFO)
def test_a_compression_is_read_or_refused_by_name(number: int) -> None:
    """What libtiff is built with is known to itself alone: what it writes, it reads."""
    name, mode = TiffImagePlugin.COMPRESSION_INFO[number], "1" if number in (2, 3, 4) else "RGB"
    if name in _NEVER_WRITTEN:
        pytest.skip("libtiff does not write it")
    file = io.BytesIO()
    try:
        PICTURE.convert(mode).save(file, "TIFF", compression=name)
    except OSError:
        with pytest.raises(UnsupportedImage, match=f"compressed by method {number}"):
            read_photo(tiff(COLORS, RGB, compression=number), WANTED)
        return
    assert read_photo(file.getvalue(), WANTED).size == SIZE


def test_a_bigtiff_of_big_endian_order_is_named() -> None:
    with pytest.raises(UnsupportedImage, match="BigTIFF of big-endian order"):
        read_photo(b"MM\0+\0\x08\0\0" + (16).to_bytes(8) + bytes(100), WANTED)


@pytest.mark.parametrize("level", [0, 65_535])
def test_a_flat_picture_of_16_bits_is_no_riddle(level: int) -> None:
    data = tiff(np.full((20, 20, 1), level, np.uint16), BLACK_IS_ZERO)

    assert (read_pixels(data, WANTED) == level // 257).all()
