"""GIF, BMP and WebP."""

import struct
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from tests.photos.bmps import bmp, with_masks
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
    for place in ((0, 0), (0, 31), (40, 0), (23, 17)):
        make, see = partial(_gif_of_part, place), partial(_seen_of_part, place)
        yield Encoding(f"gif, first frame from {place}", make, see, alone="they are not browsers")
    yield Encoding(
        "gif of two frames",
        lambda pixels: _gif(pixels, save_all=True, append_images=[Image.fromarray(255 - pixels)]),
        of_palette,
    )
    for bits in (16, 24, 32):
        for top_down in (False, True):
            name = f"bmp, {bits} bits{', top down' * top_down}"
            yield Encoding(name, partial(bmp, bits=bits, top_down=top_down))
    for order in ("BGRx", "xBGR", "BGxR"):
        yield Encoding(f"bmp, 32 bits as {order}", partial(with_masks, order=order))
    for order in ("RGBx", "xRGB", "RxGB", "GRBx"):
        yield Encoding(f"bmp, 32 bits as {order}", partial(with_masks, order=order), refused="unsupported_image")
    yield Encoding("bmp with alpha", lambda pixels: bmp(pixels, 32, alpha=alpha(pixels)), faded)
    yield Encoding("bmp with alpha of zero", _bmp_with_alpha_of_zero, alone="they are not Windows")
    yield Encoding("bmp palette", lambda pixels: encoded(of_colors(256, pixels), "BMP"), of_palette)
    yield Encoding("bmp gray", by_pillow("BMP", "L"), gray)
    for kind, options in (("lossy", {"quality": 95}), ("lossless", {"lossless": True})):
        yield Encoding(f"webp {kind}", by_pillow("WEBP", **options))
        yield Encoding(f"webp {kind} with alpha", partial(_webp_with_alpha, **options), faded)
        yield Encoding(f"webp {kind} of two frames", partial(_webp_of_two_frames, **options))
    yield from profiled("webp", _webp_with_profile)
    yield from profiled("webp with alpha", _webp_with_alpha_and_profile, faded)


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


_PART = (90, 100)
"""Width and height of the first frame of ``_gif_of_part``."""


def _gif_of_part(place: tuple[int, int], pixels: Pixels) -> bytes:
    """The first frame shows the photograph from ``place``, left and top, on; a palette's color is the background."""
    height, width, _ = pixels.shape
    data = bytearray(encoded(of_colors(256, pixels).crop((*place, place[0] + _PART[0], place[1] + _PART[1])), "GIF"))
    frame = data.index(b"," + bytes(4) + struct.pack("<HH", *_PART))
    data[frame + 1 : frame + 5] = struct.pack("<HH", *place)
    data[6:12] = struct.pack("<HHBB", width, height, data[10], 100)
    return bytes(data)


def _seen_of_part(place: tuple[int, int], pixels: Pixels) -> Pixels:
    seen = np.full_like(pixels, 255)
    part = np.s_[place[1] : place[1] + _PART[1], place[0] : place[0] + _PART[0]]
    seen[part] = of_palette(pixels)[part]
    return seen


def _webp_with_alpha_and_profile(samples: Samples, profile: bytes) -> bytes:
    return encoded(
        Image.fromarray(with_alpha(rounded(samples))), "WEBP", lossless=True, exact=True, icc_profile=profile
    )


def _webp_with_profile(samples: Samples, profile: bytes) -> bytes:
    return encoded(Image.fromarray(rounded(samples)), "WEBP", lossless=True, icc_profile=profile)


def _webp_with_alpha(pixels: Pixels, **options: Any) -> bytes:
    return encoded(Image.fromarray(with_alpha(pixels)), "WEBP", exact=True, **options)


def _webp_of_two_frames(pixels: Pixels, **options: Any) -> bytes:
    return encoded(
        Image.fromarray(pixels), "WEBP", save_all=True, append_images=[Image.fromarray(255 - pixels)], **options
    )
