"""PNG: color types, depths, transparency, and the chunks that say what its values mean."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from tests.photos import color
from tests.photos.encoding import (
    Encoding,
    Levels,
    Make,
    Samples,
    See,
    alpha,
    deep,
    faded,
    faded_gray,
    gray,
    gray_with_hole,
    hole,
    luma,
    of_bits,
    of_colors,
    of_palette,
    profiled,
    rounded,
    with_alpha,
    with_hole,
)
from tests.photos.plain import Pixels
from tests.photos.pngs import png

Take = Callable[[Pixels], Levels]
_KINDS: dict[str, tuple[Take, See]] = {
    "gray": (luma, gray),
    "gray with alpha": (lambda pixels: with_alpha(luma(pixels)), faded_gray),
    "RGB": (lambda pixels: pixels, Encoding.see),
    "RGB with alpha": (with_alpha, faded),
}
_CLEAR = 77
"""The level that stands for clear. Others do not have it."""


def rows() -> Iterator[Encoding]:
    for (kind, (levels, see)), depth, interlaced in product(_KINDS.items(), (8, 16), (False, True)):
        make = partial(_plain, levels, depth, interlaced)
        yield Encoding(f"png {kind}, {depth} bits{', interlaced' * interlaced}", make, see)
    for bits in (1, 2, 4):
        yield Encoding(f"png gray, {bits} bits", _of_bits(bits), of_bits(bits))
    for depth in (8, 16):
        yield Encoding(f"png gray, {depth} bits, one level clear", _one_clear(luma, depth), gray_with_hole)
        yield Encoding(f"png RGB, {depth} bits, one color clear", _one_clear(lambda pixels: pixels, depth), with_hole)
    for interlaced in (False, True):
        yield Encoding(f"png palette{', interlaced' * interlaced}", _palette(interlaced), of_palette)
    yield Encoding("png palette with alpha", _palette_with_hole, lambda pixels: of_palette(with_hole(pixels)))
    yield Encoding("png with a long text", _with_long_text)
    for exponent in (1.0, 1.8):
        yield Encoding(f"png of gamma {exponent}", _of_gamma(exponent))
        yield Encoding(f"png with alpha of gamma {exponent}", _of_gamma(exponent, clear=True), faded)
    yield Encoding("png gray, 16 bits, one level clear, of gamma 1.0", _gray_of_gamma_1_with_hole, gray_with_hole)
    yield Encoding("png cICP Display P3", _of_code_points(color.DISPLAY_P3, 12, 13, color.srgb), alone="cICP is new")
    yield Encoding("png cICP PQ", _of_code_points(color.BT2020, 9, 16, color.perceptual_quantizer), alone="cICP is new")
    yield Encoding("png cICP HLG", _of_code_points(color.BT2020, 9, 18, color.hybrid_log_gamma), alone="cICP is new")
    yield from profiled("png, 16 bits,", lambda samples, profile: png(samples, 16, chunks=(_icc(profile),)))
    yield from profiled("png", lambda samples, profile: png(samples // 257, 8, chunks=(_icc(profile),)))
    yield from profiled("png with alpha", _with_alpha_and_profile, faded)


def _plain(levels: Take, depth: int, interlaced: bool, pixels: Pixels) -> bytes:
    return png(_samples(levels(pixels), depth), depth, interlaced=interlaced)


def _samples(levels: Levels, depth: int) -> Samples:
    channels = levels.reshape(*levels.shape[:2], -1)
    return deep(channels) if depth == 16 else channels.astype(np.uint16)


def _of_bits(bits: int) -> Make:
    return lambda pixels: png((luma(pixels)[..., None] / 255 * (2**bits - 1)).round().astype(np.uint16), bits)


def _one_clear(levels: Take, depth: int) -> Make:
    def make(pixels: Pixels) -> bytes:
        samples = _samples(levels(pixels), depth)
        clear = _CLEAR if depth == 8 else _CLEAR * 256 + 1
        samples[samples == clear] += 1
        samples[hole(pixels)] = clear
        return png(samples, depth, chunks=((b"tRNS", struct.pack(">H", clear) * samples.shape[2]),))

    return make


def _palette(interlaced: bool) -> Make:
    def make(pixels: Pixels) -> bytes:
        picture = of_colors(256, pixels)
        entries = np.asarray(picture.getpalette(), np.uint8)
        return png(np.asarray(picture)[..., None].astype(np.uint16), 8, interlaced=interlaced, palette=entries)

    return make


def _palette_with_hole(pixels: Pixels) -> bytes:
    picture = of_colors(255, pixels)
    numbers = np.asarray(picture).astype(np.uint16) + 1
    numbers[hole(pixels)] = 0
    entries = np.asarray([10, 10, 200, *(picture.getpalette() or ())], np.uint8)
    return png(numbers[..., None], 8, palette=entries, chunks=((b"tRNS", b"\0"),))


def _with_long_text(pixels: Pixels) -> bytes:
    text = (b"zTXt", b"notes\0\0" + zlib.compress(bytes(range(65, 75)) * 300_000))
    return png(pixels.astype(np.uint16), 8, chunks=(text,))


def _of_gamma(exponent: float, *, clear: bool = False) -> Make:
    chunk = (b"gAMA", struct.pack(">I", round(100_000 / exponent)))

    def make(pixels: Pixels) -> bytes:
        values = color.gamma(exponent)(color.light(pixels))
        samples = (values * 65535).round().astype(np.uint16)
        if clear:
            samples = np.dstack((samples, alpha(pixels).astype(np.uint16) * 257))
        return png(samples, 16, chunks=(chunk,))

    return make


def _gray_of_gamma_1_with_hole(pixels: Pixels) -> bytes:
    samples = (color.light(gray(pixels)[..., :1]) * 65534).round().astype(np.uint16)
    samples[hole(pixels)] = 65535
    chunks = (b"gAMA", struct.pack(">I", 100_000)), (b"tRNS", struct.pack(">H", 65535))
    return png(samples, 16, chunks=chunks)


def _of_code_points(primaries: color.Primaries, number: int, transfer: int, encode: color.Encode) -> Make:
    def make(pixels: Pixels) -> bytes:
        values = encode(color.between(color.light(pixels), primaries))
        return png((values * 65535).round().astype(np.uint16), 16, chunks=((b"cICP", bytes((number, transfer, 0, 1))),))

    return make


def _with_alpha_and_profile(samples: Samples, profile: bytes) -> bytes:
    return png(with_alpha(rounded(samples)).astype(np.uint16), 8, chunks=(_icc(profile),))


def _icc(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"tests\0\0" + zlib.compress(profile)
