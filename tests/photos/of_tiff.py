"""TIFF: photometrics, depths, byte orders, planes, alpha, compressions, strips and tiles."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tests.photos.encoding import (
    Encoding,
    Levels,
    Make,
    See,
    by_pillow,
    deep,
    faded,
    faded_gray,
    gray,
    luma,
    of_colors,
    of_palette,
    premultiplied,
    profiled,
    with_alpha,
)
from tests.photos.plain import Pixels

_Kind = tuple[str, Callable[[Pixels], Levels], str, tuple[str, ...], See]
# Name, channels, photometric interpretation, extra samples, what is seen.
_KINDS: tuple[_Kind, ...] = (
    ("gray", luma, "minisblack", (), gray),
    ("gray, white is zero", lambda pixels: 255 - luma(pixels), "miniswhite", (), gray),
    ("gray with alpha", lambda pixels: with_alpha(luma(pixels)), "minisblack", ("unassalpha",), faded_gray),
    ("gray premultiplied", lambda pixels: premultiplied(luma(pixels)), "minisblack", ("assocalpha",), faded_gray),
    ("RGB", lambda pixels: pixels, "rgb", (), Encoding.see),
    ("RGB with alpha", with_alpha, "rgb", ("unassalpha",), faded),
    ("RGB premultiplied", premultiplied, "rgb", ("assocalpha",), faded),
    ("CMYK", lambda pixels: np.asarray(Image.fromarray(pixels).convert("CMYK")), "separated", (), Encoding.see),
)
_LAYOUTS: dict[str, dict[str, Any]] = {
    "tiles": {"tile": (64, 48)},
    "strips": {"rowsperstrip": 7},
    "deflate": {"compression": "zlib", "predictor": True},
    "BigTIFF": {"bigtiff": True},
}


def rows() -> Iterator[Encoding]:
    for (kind, levels, photometric, extra, see), depth, order, planes in product(
        _KINDS, (8, 16), "<>", ("contig", "separate")
    ):
        one_plane = kind in ("gray", "gray, white is zero")
        if one_plane and planes == "separate":
            continue
        make = _of(levels, depth, photometric=photometric, extrasamples=extra, byteorder=order, planarconfig=planes)
        # Gray with alpha is read as programs write it.
        refused = "unsupported_image" if see is faded_gray and (depth, planes) != (8, "contig") else ""
        yield Encoding(f"tiff {kind}, {depth} bits, {order}, {planes}", make, see, refused=refused)
    for depth, planes, (layout, options) in product((8, 16), ("contig", "separate"), _LAYOUTS.items()):
        make = _of(lambda pixels: pixels, depth, photometric="rgb", planarconfig=planes, **options)
        yield Encoding(f"tiff RGB, {depth} bits, {planes}, {layout}", make)
    big = _of(lambda pixels: pixels, 8, photometric="rgb", bigtiff=True, byteorder=">")
    yield Encoding("tiff RGB, BigTIFF, >", big, refused="unsupported_image")
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate"):
        yield Encoding(f"tiff {compression}", by_pillow("TIFF", compression=compression))
    yield Encoding("tiff jpeg", by_pillow("TIFF", compression="jpeg", quality=95))
    yield Encoding("tiff palette", lambda pixels: _pillow(of_colors(256, pixels)), of_palette)
    yield Encoding("tiff 1 bit", by_pillow("TIFF", "1"), _of_two_levels)
    yield Encoding("tiff fax", by_pillow("TIFF", "1", compression="group4"), _of_two_levels)
    yield Encoding("tiff Lab", lambda pixels: _pillow(_lab(pixels)))
    yield Encoding("tiff of two pages", _pages)
    yield from _of_other_numbers()
    yield from profiled(
        "tiff, 16 bits,", lambda samples, profile: _file(samples, photometric="rgb", iccprofile=profile)
    )


def _of_other_numbers() -> Iterator[Encoding]:
    """Black and white are not stated: of signed ones, and of several floats a pixel, nobody can say for certain."""
    names = ("int8", "int16", "uint32", "int32", "float16", "float32", "float64")
    for name in names:
        refused = "" if name in ("uint32", "float32") else "unsupported_image"
        yield Encoding(f"tiff gray {name}", partial(_of_numbers, name, True), gray, refused=refused)
        yield Encoding(f"tiff RGB {name}", partial(_of_numbers, name, False), refused="unsupported_image")


def _of_numbers(name: str, is_gray: bool, pixels: Pixels) -> bytes:
    samples = _scaled(luma(pixels) if is_gray else pixels, np.dtype(name))
    return _file(samples, photometric="minisblack" if is_gray else "rgb")


def _scaled(levels: Levels, kind: np.dtype[Any]) -> NDArray[Any]:
    """Over the whole range of a type of numbers; from 0 to 1 for those with fractions."""
    if kind.kind == "f":
        return (levels / 255).astype(kind)
    info = np.iinfo(kind)
    return (levels / 255 * (int(info.max) - int(info.min)) + int(info.min)).astype(kind)


def _of(levels: Callable[[Pixels], Levels], depth: int, **options: Any) -> Make:
    def make(pixels: Pixels) -> bytes:
        samples: NDArray[Any] = levels(pixels)
        samples = deep(samples) if depth == 16 else samples
        if options.get("planarconfig") == "separate":
            samples = np.moveaxis(samples, 2, 0)
        return _file(samples, **options)

    return make


def _file(samples: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    if samples.ndim == 2:
        options = options | {"planarconfig": None}
    tifffile.imwrite(file, np.ascontiguousarray(samples), metadata=None, **options)
    return file.getvalue()


def _pillow(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "TIFF")
    return file.getvalue()


def _pages(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for page in (pixels, 255 - pixels):
            writer.write(page, photometric="rgb", metadata=None)
    return file.getvalue()


def _of_two_levels(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("1").convert("RGB"))


def _lab(pixels: Pixels) -> Image.Image:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture = ImageCms.profileToProfile(Image.fromarray(pixels), *profiles, outputMode="LAB")
    assert picture is not None
    return picture
