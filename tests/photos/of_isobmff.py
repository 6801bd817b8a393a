"""AVIF and HEIF: depths, sampling, alpha, crop, and the code points and profiles that say what their values mean."""

import io
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from tests.photos import color
from tests.photos.encoding import (
    Encoding,
    Levels,
    Samples,
    See,
    alpha,
    by_pillow,
    deep,
    faded,
    gray,
    profiled,
    rounded,
    run,
    with_alpha,
)
from tests.photos.plain import Pixels
from tests.photos.pngs import png
from tests.pictures import encoded

_HDR = (("PQ", 16, color.perceptual_quantizer), ("HLG", 18, color.hybrid_log_gamma))
_GOOD: dict[str, Any] = {"quality": 95}
_FAST: dict[str, Any] = {"enc_params": {"preset": "ultrafast"}}


def rows() -> Iterator[Encoding]:
    yield from _avif()
    yield from _heif()


def _avif() -> Iterator[Encoding]:
    for sampling, extent in product(("4:2:0", "4:2:2", "4:4:4"), ("full", "limited")):
        yield Encoding(f"avif {sampling} {extent}", by_pillow("AVIF", subsampling=sampling, range=extent, **_GOOD))
    yield Encoding("avif gray", by_pillow("AVIF", "L", **_GOOD), gray)
    yield Encoding("avif with alpha", lambda pixels: _eight_bits("AVIF", with_alpha(pixels)), faded)
    yield Encoding("avif of two frames", _of_two_frames)
    yield from profiled("avif", lambda samples, profile: _eight_bits("AVIF", rounded(samples), icc_profile=profile))
    for depth, chroma in product((8, 10, 12), (400, 420, 422, 444)):
        see = gray if chroma == 400 else Encoding.see
        yield _by_avifenc(f"avif {depth} bits {chroma}", "-d", depth, "-y", chroma, see=see)
    for (name, transfer, encode), depth in product(_HDR, (10, 12)):
        options = ("-d", depth, "-y", 444, "--cicp", f"9/{transfer}/9")
        alone = "tone mapping differs"
        yield _by_avifenc(f"avif {name} {depth} bits", *options, take=partial(_hdr, encode), alone=alone)
    yield _by_avifenc(
        "avif cropped", "--crop", "20,30,100,80", see=lambda pixels: pixels[30:110, 20:120], alone="few do"
    )
    for angle in range(4):
        yield _by_avifenc(f"avif irot {angle}", "--irot", angle, see=partial(np.rot90, k=angle))
    yield _by_avifenc("avif imir 0", "--imir", 0, see=lambda pixels: pixels[::-1])
    yield _by_avifenc("avif imir 1", "--imir", 1, see=lambda pixels: pixels[:, ::-1])


def _heif() -> Iterator[Encoding]:
    for chroma, depth in product((420, 422, 444), (8, 10, 12)):

        def make(pixels: Pixels, chroma: int = chroma, depth: int = depth) -> bytes:
            return _by_libheif(deep(pixels) if depth > 8 else pixels, depth, chroma=chroma)

        yield Encoding(f"heif {chroma} {depth} bits", make)
    yield Encoding("heif gray", by_pillow("HEIF", "L", **_GOOD, **_FAST), gray)
    yield Encoding(
        "heif with alpha", lambda pixels: encoded(Image.fromarray(with_alpha(pixels)), "HEIF", **_GOOD, **_FAST), faded
    )
    yield Encoding("heif 10 bits with alpha", lambda pixels: _by_libheif(deep(with_alpha(pixels)), 10), faded)
    yield from profiled("heif", lambda samples, profile: _eight_bits("HEIF", rounded(samples), icc_profile=profile))
    yield from profiled("heif 10 bits", lambda samples, profile: _by_libheif(samples, 10, icc_profile=profile))
    for name, transfer, encode in _HDR:
        make_hdr = partial(_heif_hdr, transfer, encode)
        yield Encoding(f"heif {name}", make_hdr, alone="tone mapping differs")
        make_faded = partial(make_hdr, clear=True)
        yield Encoding(f"heif {name} with alpha", make_faded, faded, alone="tone mapping differs")


def _heif_hdr(transfer: int, encode: color.Encode, pixels: Pixels, *, clear: bool = False) -> bytes:
    code_points = {"color_primaries": 9, "transfer_characteristics": transfer, "matrix_coefficients": 9}
    samples = _hdr(encode, pixels)
    if clear:
        samples = np.dstack((samples, alpha(pixels).astype(np.uint16) * 257))
    # Of 4:4:4 with alpha its decoder makes another picture.
    chroma = 420 if clear else 444
    return _by_libheif(samples, 10, full_range_flag=1, chroma=chroma, **code_points)


def _hdr(encode: color.Encode, pixels: Pixels) -> Samples:
    """In BT.2020, white as bright as a white page among HDR pictures."""
    values = encode(color.between(color.light(pixels), color.BT2020))
    return (values * 65535).round().astype(np.uint16)


def _eight_bits(name: str, levels: Levels, **options: Any) -> bytes:
    fast = _FAST if name == "HEIF" else {}
    return encoded(Image.fromarray(levels), name, **options, **_GOOD, **fast)


def _of_two_frames(pixels: Pixels) -> bytes:
    return _eight_bits("AVIF", pixels, save_all=True, append_images=[Image.fromarray(255 - pixels)])


def _by_libheif(samples: Any, depth: int, **options: Any) -> bytes:
    """``samples`` of 8 or 16 bits."""
    height, width, channels = samples.shape
    mode = ("RGB" if channels == 3 else "RGBA") + (";16" if samples.dtype == np.uint16 else "")
    chroma = options.pop("chroma", 420)
    file = pillow_heif.from_bytes(mode, (width, height), np.ascontiguousarray(samples).tobytes())
    out = io.BytesIO()
    before, pillow_heif.options.SAVE_HDR_TO_12_BIT = pillow_heif.options.SAVE_HDR_TO_12_BIT, depth == 12
    try:
        file.save(out, chroma=chroma, **options, **_GOOD, **_FAST)
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = before
    return out.getvalue()


def _by_avifenc(
    name: str,
    *options: object,
    take: Callable[[Pixels], Levels | Samples] = lambda pixels: pixels,
    see: See = Encoding.see,
    alone: str = "",
) -> Encoding:
    """``take`` gives what is encoded, of 8 or 16 bits."""

    def make(pixels: Pixels) -> bytes:
        samples = take(pixels)
        with tempfile.TemporaryDirectory() as folder:
            source, file = Path(folder, "in.png"), Path(folder, "out.avif")
            source.write_bytes(png(samples.astype(np.uint16), 8 * samples.itemsize))
            run("avifenc", "-s", "10", "--min", "0", "--max", "12", *map(str, options), source, file)
            return file.read_bytes()

    return Encoding(name, make, see, program="avifenc", alone=alone)
