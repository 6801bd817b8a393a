"""Colors of every kind come out as those of the same picture in sRGB. The curves here are the standards' own."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from backend.clip.photos.image import read_photo, read_pixels
from backend.clip.photos.preprocessing import Preprocessing
from tests.pictures import encoded, photo
from tests.profiles import ADOBE_RGB, DISPLAY_P3, PROPHOTO, rgb_profile
from tests.tiffs import RGB, tiff

SIZE = (160, 120)
WANTED = Preprocessing((120, 120))
# Away from the edges of the cube: what is outside of a narrower gamut cannot come back.
PICTURE = Image.fromarray((60 + np.asarray(photo(SIZE), np.float64) * 0.5).astype(np.uint8))
LEVELS = np.asarray(PICTURE, np.float64) / 255
BT2020 = np.array([[0.627404, 0.329283, 0.043313], [0.069097, 0.919540, 0.011362], [0.016391, 0.088013, 0.895595]])
"""Linear BT.709 to BT.2020 (ITU-R BT.2087)."""
P3 = np.array([[0.822462, 0.177538, 0], [0.033194, 0.966806, 0], [0.017083, 0.072397, 0.910520]])
Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def linear(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light, where 1 is HDR's reference white of 203 cd/m², as SMPTE ST 2084 has it."""
    m = (np.maximum(light, 0) * 203 / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * m) / (1 + 2392 / 128 * m)) ** (2523 / 32)


def hlg(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same as HLG of a display of 1,000 cd/m²: the inverse OOTF and the OETF of ITU-R BT.2100."""
    display = np.maximum(light, 0) * 203 / 1000
    luminance = (display @ [0.2627, 0.6780, 0.0593])[..., np.newaxis]
    scene = display * np.maximum(luminance, 1e-9) ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def coded(curve: Curve, matrix: NDArray[np.float64] | None = None, levels: NDArray[np.float64] = LEVELS) -> Image.Image:
    """The picture in other primaries, with another curve."""
    light = linear(levels)
    light = light if matrix is None else light @ matrix.T
    return Image.fromarray(np.round(np.clip(curve(light), 0, 1) * 255).astype(np.uint8))


def require_same(data: bytes, tolerance: float = 2.0) -> None:
    """The mean difference from the picture, in levels."""
    wanted = read_pixels(encoded(PICTURE, "PNG"), WANTED)
    difference = np.abs(read_pixels(data, WANTED).astype(int) - wanted)
    assert difference.mean() < tolerance


def with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    """The PNG with a chunk behind its header."""
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return png[:33] + chunk + png[33:]


def with_nclx(avif: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF of Pillow's with other numbers in the box colr."""
    at = avif.index(b"colrnclx") + 8
    return avif[:at] + struct.pack(">HH", primaries, transfer) + avif[at + 4 :]


def heif(image: Image.Image, primaries: int, transfer: int) -> bytes:
    nclx = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": 6}
    file = pillow_heif.from_pillow(image)
    file[0].info["nclx_profile"] = nclx | {"full_range_flag": 1}  # type: ignore[assignment]
    buffer = io.BytesIO()
    file.save(buffer, quality=-1, chroma=444, save_nclx_profile=True)
    return buffer.getvalue()


CODED = [(9, 16, pq, BT2020), (9, 18, hlg, BT2020), (12, 16, pq, P3), (12, 13, srgb, P3), (9, 1, srgb, BT2020)]


@pytest.mark.parametrize(("primaries", "transfer", "curve", "matrix"), CODED)
@pytest.mark.parametrize("name", ["AVIF", "HEIF", "PNG"])
def test_coded_colors(name: str, primaries: int, transfer: int, curve: Curve, matrix: NDArray[np.float64]) -> None:
    image = coded(curve, matrix)
    if name == "AVIF":
        data = with_nclx(encoded(image, "AVIF", quality=100, subsampling="4:4:4"), primaries, transfer)
    elif name == "HEIF":
        data = heif(image, primaries, transfer)
    else:
        data = with_chunk(encoded(image, "PNG"), b"cICP", bytes((primaries, transfer, 0, 1)))

    require_same(data, tolerance=4 if name == "AVIF" else 2)


@pytest.mark.parametrize(("transfer", "curve"), [(8, lambda light: light), (4, lambda light: light ** (1 / 2.2))])
def test_curves_without_hdr(transfer: int, curve: Curve) -> None:
    require_same(with_chunk(encoded(coded(curve), "PNG"), b"cICP", bytes((1, transfer, 0, 1))))


def test_what_is_brighter_than_white_keeps_its_shapes() -> None:
    """A ramp from black to 1,000 cd/m² stays one, without a flat end, and its dark half is left alone."""
    light = np.linspace(0, 1000 / 203, 256)[np.newaxis, :, np.newaxis].repeat(256, axis=0).repeat(3, axis=2)
    image = Image.fromarray(np.round(pq(light) * 255).astype(np.uint8))
    data = with_chunk(encoded(image, "PNG"), b"cICP", bytes((9, 16, 0, 1)))

    ramp = read_pixels(data, Preprocessing((256, 256)))[128, :, 0].astype(int)

    assert (np.diff(ramp) >= 0).all()
    assert ramp[-1] >= 250
    assert ramp[60] < ramp[90] < ramp[120] < ramp[150] < ramp[-1]
    dark = light[0, :, 0] < 0.3
    assert np.abs(ramp[dark] - srgb(light[0, dark, 0]) * 255).max() < 8


def test_transparent_parts_of_hdr_are_as_white_as_white() -> None:
    image = coded(pq, BT2020)
    image.putalpha(Image.fromarray(np.tile(np.repeat(np.array([0, 255], np.uint8), SIZE[0] // 2), (SIZE[1], 1))))
    expected = PICTURE.copy()
    expected.paste("white", (0, 0, SIZE[0] // 2, SIZE[1]))

    pixels = read_pixels(with_chunk(encoded(image, "PNG"), b"cICP", bytes((9, 16, 0, 1))), WANTED)

    difference = np.abs(pixels.astype(int) - read_pixels(encoded(expected, "PNG"), WANTED))
    assert difference.mean() < 2


PROFILES = {"Display P3": DISPLAY_P3, "Adobe RGB": ADOBE_RGB, "ProPhoto": PROPHOTO}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_profiles(format_: str, name: str) -> None:
    """little CMS writes the file; the test is that something reads it with the profile, and in which direction."""
    profile = PROFILES[name]
    srgb_profile = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(PICTURE, srgb_profile, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    assert converted is not None
    best: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100},
        "HEIF": {"quality": -1, "chroma": 444},
    }
    options = best.get(format_, {})

    data = encoded(converted, format_, icc_profile=profile, **options)

    require_same(data, tolerance=3)
    plain = read_pixels(encoded(converted, "PNG", icc_profile=None), WANTED).astype(int)
    assert np.abs(plain - read_pixels(encoded(PICTURE, "PNG"), WANTED)).mean() > 3, "the profile must make a difference"


def test_a_linear_profile() -> None:
    data = encoded(coded(lambda light: light), "PNG", icc_profile=rgb_profile(gamma=1.0))
    require_same(data, tolerance=3)


def test_a_linear_gray_profile() -> None:
    gray = Image.fromarray(np.asarray(PICTURE.convert("L")))
    light = Image.fromarray(np.round(linear(np.asarray(gray, np.float64) / 255) * 255).astype(np.uint8))

    pixels = read_pixels(encoded(light, "PNG", icc_profile=rgb_profile(gamma=1.0, gray=True)), WANTED)

    assert np.abs(pixels.astype(int) - read_pixels(encoded(gray, "PNG"), WANTED)).mean() < 3


def test_16_bits_of_a_wide_gamut() -> None:
    levels = (linear(LEVELS) ** (1 / 1.8) * 65535).astype(np.uint16)
    data = tiff(levels, RGB, tags={34675: (1, list(rgb_profile(gamma=1.8)))})
    require_same(data, tolerance=3)


@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 1 / 2.6])
def test_png_gamma(gamma: float) -> None:
    image = coded(lambda light: light**gamma)
    require_same(with_chunk(encoded(image, "PNG"), b"gAMA", struct.pack(">I", round(gamma * 100_000))))


def test_png_primaries() -> None:
    image = coded(lambda light: light ** (1 / 2.2), P3)
    png = with_chunk(encoded(image, "PNG"), b"gAMA", struct.pack(">I", 45_455))
    chromaticity = (31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6000)
    require_same(with_chunk(png, b"cHRM", struct.pack(">8I", *chromaticity)), tolerance=3)


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    data = encoded(PICTURE, "PNG")
    for kind, content in chunks:
        data = with_chunk(data, kind, content)
    return data


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "data",
    [
        encoded(PICTURE, "PNG", icc_profile=SRGB),
        encoded(PICTURE, "PNG", icc_profile=b"not a profile"),
        encoded(PICTURE, "PNG", icc_profile=SRGB[:100]),
        encoded(PICTURE, "PNG", icc_profile=SRGB[:16] + b"CMYK" + SRGB[20:]),
        encoded(PICTURE, "PNG", icc_profile=SRGB[:16] + b"GRAY" + SRGB[20:]),
        png_with((b"gAMA", struct.pack(">I", 45_455))),
        png_with((b"gAMA", struct.pack(">I", 0))),
        png_with((b"gAMA", struct.pack(">I", 2**31 - 1))),
        png_with((b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", bytes(32))),
        png_with((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))),
        png_with((b"cICP", bytes((1, 13, 0, 1)))),
        png_with((b"cICP", bytes((2, 2, 0, 1)))),
        png_with((b"cICP", b"\x09\x10")),
    ],
)
def test_nothing_is_changed_where_nothing_is_known(data: bytes) -> None:
    np.testing.assert_array_equal(read_pixels(data, WANTED), read_pixels(encoded(PICTURE, "PNG"), WANTED))


def test_the_preview_is_in_srgb_too() -> None:
    data = with_chunk(encoded(coded(pq, BT2020), "PNG"), b"cICP", bytes((9, 16, 0, 1)))

    shown = Image.open(io.BytesIO(read_photo(data, WANTED, preview=True).preview))

    assert np.abs(np.asarray(shown, np.float64) - np.asarray(PICTURE)).mean() < 4


def test_padding_keeps_its_color() -> None:
    data = with_chunk(encoded(coded(pq, BT2020), "PNG"), b"cICP", bytes((9, 16, 0, 1)))

    pixels = read_pixels(data, Preprocessing((200, 100), "longest", fill_color=128))

    assert (pixels[:60] == 128).all()
    assert not (pixels[90:110] == 128).all()
