"""GIF, BMP and WebP."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from tests.photos.bmps import bmp
from tests.photos.encoding import (
    Encoding,
    Samples,
    alpha,
    by_pillow,
    faded,
    gray,
    hole,
    of_colors,
    of_palette,
    profiled,
    rounded,
    with_alpha,
    with_hole,
)
from tests.photos.plain import Pixels
from tests.pictures import encoded


def rows() -> Iterator[Encoding]:
    for interlaced in (0, 1):
        yield Encoding(f"gif, interlaced {interlaced}", partial(_gif, interlace=interlaced), of_palette)
    yield Encoding("gif with a hole", _gif_with_hole, lambda pixels: of_palette(with_hole(pixels)))
    yield Encoding(
        "gif of two frames",
        lambda pixels: _gif(pixels, save_all=True, append_images=[Image.fromarray(255 - pixels)]),
        of_palette,
    )
    for bits in (16, 24, 32):
        for top_down in (False, True):
            name = f"bmp, {bits} bits{', top down' * top_down}"
            yield Encoding(name, partial(bmp, bits=bits, top_down=top_down))
    yield Encoding("bmp with alpha", lambda pixels: bmp(pixels, 32, alpha=alpha(pixels)), faded)
    yield Encoding("bmp with alpha of zero", _bmp_with_alpha_of_zero, alone="they are not Windows")
    yield Encoding("bmp palette", lambda pixels: encoded(of_colors(256, pixels), "BMP"), of_palette)
    yield Encoding("bmp gray", by_pillow("BMP", "L"), gray)
    for kind, options in (("lossy", {"quality": 95}), ("lossless", {"lossless": True})):
        yield Encoding(f"webp {kind}", by_pillow("WEBP", **options))
        yield Encoding(f"webp {kind} with alpha", partial(_webp_with_alpha, **options), faded)
        yield Encoding(f"webp {kind} of two frames", partial(_webp_of_two_frames, **options))
    yield from profiled("webp", _webp_with_profile)


def _bmp_with_alpha_of_zero(pixels: Pixels) -> bytes:
    return bmp(pixels, 32, alpha=np.zeros_like(alpha(pixels)))


def _gif(pixels: Pixels, **options: Any) -> bytes:
    return encoded(of_colors(256, pixels), "GIF", **options)


def _gif_with_hole(pixels: Pixels) -> bytes:
    picture = of_colors(255, with_hole(pixels))
    numbers = np.where(hole(pixels), np.uint8(255), np.asarray(picture))
    clear = Image.fromarray(numbers, "L").convert("P")
    clear.putpalette([*(picture.getpalette() or ())[: 3 * 255], 10, 10, 200])
    return encoded(clear, "GIF", transparency=255)


def _webp_with_profile(samples: Samples, profile: bytes) -> bytes:
    return encoded(Image.fromarray(rounded(samples)), "WEBP", lossless=True, icc_profile=profile)


def _webp_with_alpha(pixels: Pixels, **options: Any) -> bytes:
    return encoded(Image.fromarray(with_alpha(pixels)), "WEBP", exact=True, **options)


def _webp_of_two_frames(pixels: Pixels, **options: Any) -> bytes:
    return encoded(
        Image.fromarray(pixels), "WEBP", save_all=True, append_images=[Image.fromarray(255 - pixels)], **options
    )
