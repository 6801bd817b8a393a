"""A way to encode a photograph, what must be seen in the file, and what files are made of."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.photos import color
from tests.photos.plain import Pixels
from tests.pictures import encoded

Levels = NDArray[np.uint8]
"""[height, width] or [height, width, channels] of 8 bits."""
Samples = NDArray[np.uint16]
"""The same of 16 bits."""
Make = Callable[[Pixels], bytes]
See = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Encoding:
    name: str
    """Begins with the format."""
    make: Make
    see: See = lambda pixels: pixels
    """What the file shows of the photograph."""
    program: str = ""
    """What must be installed to make it."""
    rows: float = 1
    """The part of the rows, from the top, that is there."""
    warnings: tuple[str, ...] = ()
    refused: str = ""
    """The error by which it is refused, because nobody can say for certain what it shows."""
    alone: str = ""
    """Why other decoders do not read it so."""


# What is seen of a photograph.


def gray(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def faded(pixels: Pixels) -> Pixels:
    """Over white, with the opacity of ``alpha``."""
    opacity = alpha(pixels)[..., None] / 255
    return np.asarray((pixels * opacity + 255 * (1 - opacity)).round(), np.uint8)


def faded_gray(pixels: Pixels) -> Pixels:
    return faded(gray(pixels))


def with_hole(pixels: Pixels) -> Pixels:
    """White where ``hole`` is."""
    return np.where(hole(pixels)[..., None], np.uint8(255), pixels)


def gray_with_hole(pixels: Pixels) -> Pixels:
    return with_hole(gray(pixels))


def of_bits(bits: int) -> See:
    """Gray, with levels of so many bits."""

    def see(pixels: Pixels) -> Pixels:
        most = 2**bits - 1
        return np.asarray(((gray(pixels) / 255 * most).round() * 255 / most).round(), np.uint8)

    return see


def of_colors(count: int, pixels: Pixels) -> Image.Image:
    """With a palette of so many colors."""
    return Image.fromarray(pixels).quantize(count, Image.Quantize.FASTOCTREE)


def of_palette(pixels: Pixels) -> Pixels:
    return np.asarray(of_colors(256, pixels).convert("RGB"))


# What is put into a file.


def alpha(pixels: Pixels) -> Levels:
    """From clear on the left to opaque from the middle on."""
    ramp = np.clip(np.linspace(0, 2, pixels.shape[1]), 0, 1) * 255
    return np.broadcast_to(ramp.round().astype(np.uint8), pixels.shape[:2])


def hole(pixels: Pixels) -> NDArray[np.bool_]:
    clear = np.zeros(pixels.shape[:2], bool)
    clear[20:90, 30:100] = True
    return clear


def with_alpha(levels: Levels) -> Levels:
    """With a last channel of opacity, and with another picture where nothing is seen of it."""
    opacity = alpha(levels)
    channels = levels.reshape(*opacity.shape, -1)
    return np.dstack((np.where(opacity[..., None] == 0, 255 - channels, channels), opacity))


def premultiplied(levels: Levels) -> Levels:
    """With a last channel of opacity, the others times it."""
    opacity = alpha(levels)
    channels = levels.reshape(*opacity.shape, -1)
    return np.dstack(((channels * (opacity[..., None] / 255)).round().astype(np.uint8), opacity))


def luma(pixels: Pixels) -> Levels:
    return np.asarray(Image.fromarray(pixels).convert("L"))


def deep(levels: Levels) -> Samples:
    """Of 16 bits. The lower eight are noise, so that bytes in the wrong order do not look like a picture."""
    noise = np.random.default_rng(0).integers(0, 256, levels.shape, np.uint16)
    return np.asarray(levels.astype(np.uint16) * 256 + noise, np.uint16)


def rounded(samples: Samples) -> Levels:
    """To 8 bits."""
    return (samples / 257).round().astype(np.uint8)


# How it is encoded.


def by_pillow(name: str, mode: str = "RGB", **options: Any) -> Make:
    return lambda pixels: encoded(Image.fromarray(pixels).convert(mode), name, **options)


def run(*command: str | Path, data: bytes = b"") -> bytes:
    """What a program writes to its standard output."""
    done = subprocess.run(list(map(str, command)), input=data, capture_output=True, timeout=60, check=True)
    return done.stdout


def ppm(pixels: Pixels) -> bytes:
    return encoded(Image.fromarray(pixels), "PPM")


def profiled(name: str, make: Callable[[Samples, bytes], bytes], see: See = Encoding.see) -> Iterator[Encoding]:
    """With an ICC profile of another color space than sRGB.

    Args:
        name: of the format.
        make: encodes samples of 16 bits and a profile.
        see: what the file shows of the photograph.
    """
    spaces = {
        "Display P3": (color.DISPLAY_P3, 2.2, color.D65),
        "Adobe RGB": (color.ADOBE_RGB, 2.2, color.D65),
        "ProPhoto": (color.PROPHOTO, 1.8, color.D50),
        "linear": (color.SRGB, 1.0, color.D65),
    }
    for space, (primaries, exponent, white) in spaces.items():

        def encode(pixels: Pixels, space: tuple[Any, ...] = (primaries, exponent, white)) -> bytes:
            primaries, exponent, white = space
            values = color.gamma(exponent)(color.between(color.light(pixels), primaries, white))
            return make((values * 65535).round().astype(np.uint16), color.profile(primaries, exponent, white))

        yield Encoding(f"{name} in {space}", encode, see)
