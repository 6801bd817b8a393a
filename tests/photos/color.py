"""Color spaces, by their definitions: what encodes light, between which primaries, and ICC profiles of both."""

import struct
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tests.photos.plain import Pixels

Light = NDArray[np.float64]
Matrix = NDArray[np.float64]
Encode = Callable[[Light], Light]
Primaries = Sequence[tuple[float, float]]

SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
BT2020 = ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046))
PROPHOTO = ((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105))
"""Primaries by their chromaticities x and y."""
D65, D50 = (0.3127, 0.3290), (0.345704, 0.358540)

_BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))
_WHITE_NITS = 203
"""Of white in an SDR picture that is shown among HDR ones (ITU-R BT.2408)."""


def light(pixels: Pixels) -> Light:
    """The light of sRGB values, white being 1."""
    levels = pixels / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def srgb(linear: Light) -> Light:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def gamma(exponent: float) -> Encode:
    """What encodes light as its power 1/exponent."""
    return lambda linear: np.clip(linear, 0, 1) ** (1 / exponent)


def perceptual_quantizer(linear: Light) -> Light:
    """SMPTE ST 2084, for a picture whose white has 203 nits."""
    power = (np.clip(linear, 0, None) * _WHITE_NITS / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hybrid_log_gamma(linear: Light) -> Light:
    """ITU-R BT.2100, for a picture whose white has 203 of 1,000 nits."""
    shown = np.clip(linear, 0, None) * _WHITE_NITS / 1000
    luminance = shown @ np.array((0.2627, 0.6780, 0.0593))
    scene = shown * np.where(luminance > 0, luminance, 1)[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def between(linear: Light, primaries: Primaries, white: tuple[float, float] = D65) -> Light:
    """Light of sRGB's primaries, by other ones."""
    matrix = np.linalg.inv(_to_xyz(primaries, white)) @ _adaptation(D65, white) @ _to_xyz(SRGB, D65)
    return linear @ matrix.T


def profile(primaries: Primaries, exponent: float, white: tuple[float, float] = D65) -> bytes:
    """An ICC profile (version 2, matrix and curves) of values that are light to the power 1/exponent."""
    colorants = (_adaptation(white, D50) @ _to_xyz(primaries, white)).T
    name = b"tests"
    tags = {
        b"desc": b"desc" + struct.pack(">4xI", len(name) + 1) + name + bytes(1 + 12 + 67),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(_white(D50)),
        **{bytes((channel,)) + b"XYZ": _xyz(colorants[at]) for at, channel in enumerate(b"rgb")},
        **{bytes((c,)) + b"TRC": b"curv" + struct.pack(">4xIH", 1, round(exponent * 256)) for c in b"rgb"},
    }
    directory, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        directory += tag + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12x4s", start + len(body), bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    )
    header = header.ljust(68, b"\0") + struct.pack(">3i", *(round(value * 65536) for value in _white(D50)))
    return header.ljust(128, b"\0") + directory + body


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(float(value) * 65536) for value in values))


def _white(xy: tuple[float, float]) -> NDArray[np.float64]:
    x, y = xy
    return np.array((x / y, 1, (1 - x - y) / y))


def _to_xyz(primaries: Primaries, white: tuple[float, float]) -> Matrix:
    columns = np.array([_white(xy) for xy in primaries]).T
    scales: Light = np.linalg.solve(columns, _white(white))
    return columns * scales


def _adaptation(of: tuple[float, float], to: tuple[float, float]) -> Matrix:
    scale = (_BRADFORD @ _white(to)) / (_BRADFORD @ _white(of))
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD)
