"""Colors of other kinds to those of sRGB, which models were trained on: profiles, wide gamuts and HDR.

A photo is converted after it has been shrunk, so that this costs a millisecond, and nothing where it is sRGB already.
HDR is shown as on a display whose white is as bright as HDR's reference white, of 203 cd/m² (ITU-R BT.2408); what is
brighter in the photo is compressed by the curve of ITU-R BT.2390, so that skies and lamps keep their shapes.
"""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from .isobmff import Cicp

Levels = NDArray[np.float32]

_HDR_WHITE = 203.0
"""cd/m²: what a display for sRGB shows as white."""
_PQ_PEAK, _HLG_PEAK = 10_000.0, 1000.0
# (x, y) of red, green, blue and white.
_D65 = (0.3127, 0.3290)
_BT709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65)
_PRIMARIES = {
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
"""By the number in ITU-T H.273; those of the others are near BT.709's."""
_LINEAR, _PQ, _HLG = 8, 16, 18
_GAMMAS = {4: 2.2, 5: 2.8, _LINEAR: 1.0}
_BT2020_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
# Of a profile in a file. Those of cameras and displays have kilobytes, those of printers up to two megabytes.
_MAX_PROFILE_BYTES = 4 << 20
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
# A profile that changes no color of a coarse cube by more than this is sRGB's own, of which there are dozens.
_SAME_LEVELS = 3
_MAX_PNG_CHUNKS = 1024


class Conversion(Protocol):
    """Colors of a photo to those of sRGB."""

    @property
    def mode(self) -> str:
        """Of the images that it takes: "RGB" or "CMYK"."""

    def __call__(self, image: Image.Image) -> Image.Image:
        """The same picture in sRGB, mode RGB."""


def conversion(image: Image.Image, data: bytes, cicp: Cicp | None) -> Conversion | None:
    """How the colors of an opened image are converted; None where they are those of sRGB, or nothing is known of them.

    Args:
        image: opened by Pillow; need not be decoded.
        data: its file.
        cicp: what an AVIF or HEIF file states beside a profile.
    """
    info = image.info
    if image.format == "PNG" and (found := _png_cicp(data)):
        return _by_cicp(found)
    if profile := info.get("icc_profile"):
        return _by_profile(profile, image.mode)
    if cicp is not None:
        return _by_cicp(cicp)
    if image.format == "PNG" and "srgb" not in info and "gamma" in info:
        return _by_gamma(info["gamma"], info.get("chromaticity"))
    return None


def converted(image: Image.Image, convert: Conversion | None) -> Image.Image:
    """The picture in sRGB, mode RGB.

    Args:
        image: mode RGB, or as ``convert`` takes it; or RGBA with ``convert``: what is transparent is blended with white
            when its colors are those of sRGB, as viewers do.
        convert: None where the colors are those of sRGB.
    """
    if convert is None:
        return image
    if image.mode != "RGBA":
        return convert(image)
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(convert(image.convert("RGB")), mask=image.getchannel("A"))
    return canvas


@dataclass(frozen=True)
class _Profiled:
    """By an ICC profile."""

    transform: ImageCms.ImageCmsTransform
    takes: str
    mode: str = "RGB"

    def __call__(self, image: Image.Image) -> Image.Image:
        source = image.getchannel(0) if self.takes == "L" else image
        converted = ImageCms.applyTransform(source, self.transform)
        assert converted is not None  # noqa: S101 (None is for transforms in place)
        return converted


@dataclass(frozen=True)
class _Coded:
    """By a curve and primaries."""

    to_linear: Levels
    """float32 [256]: the light of each level, where 1 is white; for PQ in cd/m², for HLG that of the scene, 0 to 1."""
    matrix: Levels
    """float32 [3, 3] to the primaries of sRGB."""
    to_display: Callable[[Levels, Levels], Levels] | None = None
    """For HDR: linear light and ``matrix`` to what a display for sRGB shows."""
    mode: str = "RGB"

    def __call__(self, image: Image.Image) -> Image.Image:
        light = self.to_linear[np.asarray(image)]
        shown = self.to_display(light, self.matrix) if self.to_display else light @ self.matrix.T
        return Image.fromarray(_to_srgb_levels(shown))


def _by_profile(profile: bytes, mode: str) -> Conversion | None:
    takes = _MODES.get(bytes(profile[16:20]))
    is_gray = mode in ("1", "L", "LA", "La", "I", "F") or mode.startswith("I;16")
    if takes is None or len(profile) > _MAX_PROFILE_BYTES:
        return None
    if (takes == "CMYK") != (mode == "CMYK") or (takes == "L" and not is_gray) or mode == "LAB":
        return None
    return _profiled(profile, takes)


@lru_cache(maxsize=4)
def _profiled(profile: bytes, takes: str) -> Conversion | None:
    try:
        transform = ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), _srgb(), takes, "RGB")
        chart = _chart(takes)
        shown = ImageCms.applyTransform(chart, transform)
    except (ImageCms.PyCMSError, OSError):
        return None  # as viewers do with a profile that cannot be read
    assert shown is not None  # noqa: S101
    if takes != "CMYK":
        changes = np.asarray(shown).astype(int) - np.asarray(chart.convert("RGB"))
        if np.abs(changes).max() <= _SAME_LEVELS:
            return None
    return _Profiled(transform, takes, "CMYK" if takes == "CMYK" else "RGB")


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _chart(mode: str) -> Image.Image:
    """A coarse cube of colors, or all grays."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    cube = np.stack(np.meshgrid(*[steps] * len(mode), indexing="ij"), axis=-1)
    return Image.fromarray(np.ascontiguousarray(cube.reshape(len(steps), -1, len(mode))), mode)


def _by_cicp(cicp: Cicp) -> Conversion | None:
    matrix = _matrix(_PRIMARIES.get(cicp.primaries, _BT709))
    levels = np.arange(256, dtype=np.float64) / 255
    if cicp.transfer == _PQ:
        return _Coded(_pq_light(levels).astype(np.float32), matrix, _display_pq)
    if cicp.transfer == _HLG:
        return _Coded(_hlg_scene(levels).astype(np.float32), matrix, _display_hlg)
    gamma = _GAMMAS.get(cicp.transfer)
    if gamma is None and cicp.primaries not in _PRIMARIES:
        return None
    # The curves of BT.709 and its relatives are shown as sRGB's.
    light = _srgb_light(levels) if gamma is None else levels**gamma
    return _Coded(light.astype(np.float32), matrix)


def _by_gamma(gamma: float, chromaticity: tuple[float, ...] | None) -> Conversion | None:
    """By a PNG's chunks gAMA and cHRM: the light is the level to the power of 1 / ``gamma``."""
    primaries = _BT709
    if chromaticity is not None:
        white, red, green, blue = zip(chromaticity[::2], chromaticity[1::2], strict=True)
        primaries = (red, green, blue, white)
    try:
        matrix = _matrix(primaries)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        matrix = np.eye(3, dtype=np.float32)
    if not np.isfinite(matrix).all() or not 0.1 <= gamma <= 10:
        return None
    near = np.abs(matrix - np.eye(3)).max() < 0.02
    if near and abs(gamma - 0.45455) < 0.01:
        return None  # what most writers mean by sRGB
    levels = np.arange(256, dtype=np.float64) / 255
    return _Coded((levels ** (1 / gamma)).astype(np.float32), matrix)


def _png_cicp(data: bytes) -> Cicp | None:
    """What a PNG's chunk cICP says, which comes before the pixels; a narrow range is left as it is."""
    at = 8
    for _ in range(_MAX_PNG_CHUNKS):
        if at + 8 > len(data):
            return None
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"cICP" and length == 4 and at + 12 <= len(data):
            return Cicp(data[at + 8], data[at + 9])
        if kind == b"IDAT":
            return None
        at += 12 + length
    return None


def _matrix(primaries: tuple[tuple[float, float], ...]) -> Levels:
    """float32 [3, 3]: linear RGB of these primaries to that of sRGB; another white is adapted to (Bradford)."""
    if primaries == _BT709:
        return np.eye(3, dtype=np.float32)
    ours, theirs = _to_xyz(_BT709), _to_xyz(primaries)
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = (cone @ ours.sum(axis=1)) / (cone @ theirs.sum(axis=1))
    adapt = np.linalg.inv(cone) @ np.diag(scale) @ cone
    return np.asarray(np.linalg.inv(ours) @ adapt @ theirs, np.float32)


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Linear RGB to XYZ (SMPTE RP 177)."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    scale = np.linalg.solve(columns[:, :3], columns[:, 3])
    return np.asarray(columns[:, :3] * scale)


def _display_pq(light: Levels, matrix: Levels) -> Levels:
    """cd/m² to what is shown, where 1 is white."""
    return _compressed(np.maximum(light @ matrix.T, 0))


def _display_hlg(scene: Levels, matrix: Levels) -> Levels:
    """Scene light by the OOTF of ITU-R BT.2100 for a display of 1,000 cd/m² to what is shown."""
    luminance = scene @ _BT2020_LUMINANCE
    return _display_pq(_HLG_PEAK * luminance[..., None] ** np.float32(0.2) * scene, matrix)


def _compressed(light: Levels) -> Levels:
    """Light in cd/m² to that of a display, where 1 is white, by the EETF of ITU-R BT.2390-4, 5.4.1, from its own peak.

    It is applied to the strongest of the three colors, so that hues stay. A photo that is nowhere brighter than white
    is not changed.
    """
    strongest = light.max(axis=-1)
    peak = float(strongest.max())
    if peak <= _HDR_WHITE:
        return light / np.float32(_HDR_WHITE)
    whole = float(_pq_signal(np.array(peak)))
    signal = _pq_signal(strongest) / whole
    limit = float(_pq_signal(np.array(_HDR_WHITE))) / whole
    knee = 1.5 * limit - 0.5
    t = (signal - knee) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * limit
    wanted = _pq_light(np.where(signal < knee, signal, spline) * whole)
    return np.asarray(light * (wanted / np.maximum(strongest, 1e-6))[..., None] / _HDR_WHITE, np.float32)


def _pq_light(signal: NDArray[np.floating]) -> NDArray[np.floating]:
    """The EOTF of SMPTE ST 2084: a signal from 0 to 1 to cd/m²."""
    power = signal ** (1 / 78.84375)
    base = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return np.asarray(_PQ_PEAK * base ** (1 / 0.1593017578125))


def _pq_signal(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Its inverse."""
    power = (np.asarray(light) / _PQ_PEAK) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def _hlg_scene(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse OETF of ITU-R BT.2100's HLG: a signal from 0 to 1 to scene light from 0 to 1."""
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def _srgb_light(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def _to_srgb_levels(light: Levels) -> NDArray[np.uint8]:
    """Light, where 1 is white, to levels from 0 to 255."""
    light = np.clip(light, 0, 1)
    curved = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** np.float32(1 / 2.4) - 0.055)
    return np.asarray((curved * 255 + 0.5).astype(np.uint8))
