"""Preprocessing against open_clip's own transform; the formats and modes go through HTTP in test_handler.py."""

import io
import re
import struct
import zlib
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from backend.clip.errors import UnsupportedImage
from backend.clip.photos.image import read_pixels
from backend.clip.photos.preprocessing import Preprocessing
from tests.launch import PROJECT
from tests.pictures import encoded, photo

SIZES = [(640, 480), (480, 640), (224, 224), (225, 224), (100, 75), (333, 1001), (1600, 90), (37, 41)]


def open_clip_pixels(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """What open_clip's transform gives, before its normalization."""
    config = PreprocessCfg(
        size=preprocessing.size,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        interpolation=preprocessing.interpolation,
        resize_mode=preprocessing.resize_mode,
        fill_color=preprocessing.fill_color,
    )
    tensor = image_transform_v2(config, is_train=False)(image)
    return np.asarray((tensor * 255).round().permute(1, 2, 0).numpy(), dtype=np.uint8)


def require_equal(actual: NDArray[np.uint8], expected: NDArray[np.uint8]) -> None:
    """But for rounding: one value in a thousand may differ by one level."""
    difference = np.abs(actual.astype(int) - expected)
    assert difference.max() <= 1
    assert difference.mean() <= 0.001


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("mode", "interpolation", "target"),
    [
        *product(("shortest", "longest", "squash"), ("bicubic", "bilinear"), ((224, 224),)),
        ("shortest", "bicubic", (160, 256)),
        ("longest", "bicubic", (160, 256)),
        ("squash", "bicubic", (160, 256)),
    ],
)
def test_png_equals_open_clip(size: tuple[int, int], mode: str, interpolation: str, target: tuple[int, int]) -> None:
    preprocessing = Preprocessing(target, mode, interpolation, fill_color=7)
    image = photo(size)

    pixels = read_pixels(encoded(image, "PNG"), preprocessing)

    assert pixels.shape == (*target, 3)
    assert pixels.dtype == np.uint8
    require_equal(pixels, open_clip_pixels(image, preprocessing))


@pytest.mark.parametrize("size", [(1200, 900), (4000, 3000), (3000, 4000)])
def test_jpeg_shrunk_while_decoding_stays_close_to_open_clip(size: tuple[int, int]) -> None:
    """Tolerance: 2 levels of 255 on average, 99 % of all values within 8."""
    preprocessing = Preprocessing((224, 224))
    data = encoded(photo(size), "JPEG", quality=90)

    difference = np.abs(
        read_pixels(data, preprocessing).astype(int) - open_clip_pixels(Image.open(io.BytesIO(data)), preprocessing)
    )

    assert difference.mean() <= 2
    assert np.quantile(difference, 0.99) <= 8


def test_jpeg_of_ordinary_size_equals_open_clip() -> None:
    data = encoded(photo((640, 480)), "JPEG", quality=90)

    pixels = read_pixels(data, Preprocessing((224, 224)))

    require_equal(pixels, open_clip_pixels(Image.open(io.BytesIO(data)), Preprocessing((224, 224))))


@pytest.mark.parametrize("size", [(1, 40_000), (40_000, 1), (3, 20_000)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_a_very_long_image_is_decoded_without_growing(size: tuple[int, int], mode: str) -> None:
    data = encoded(Image.new("RGB", size, (10, 200, 30)), "PNG")

    pixels = read_pixels(data, Preprocessing((224, 224), mode, fill_color=0))

    assert [10, 200, 30] in pixels.reshape(-1, 3).tolist()


WANTED = Preprocessing((64, 96))


def require_shown(data: bytes, expected: Image.Image) -> None:
    """But for rounding."""
    wanted = read_pixels(encoded(expected, "PNG"), WANTED).astype(int)
    assert np.abs(read_pixels(data, WANTED) - wanted).max() <= 1


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_the_gray_that_a_png_makes_transparent(bits: int) -> None:
    peak = 2**bits - 1
    gray = np.asarray(photo((96, 64)).convert("L")).astype(np.int64) * peak // 255
    gray[gray == 1] = 2
    gray[:20] = 1
    shown = np.where(gray == 1, 255, np.round(gray * (255 / peak))).astype(np.uint8)

    require_shown(png(gray[..., np.newaxis], bits, 0, struct.pack(">H", 1)), Image.fromarray(shown).convert("RGB"))


@pytest.mark.parametrize("bits", [8, 16])
def test_the_color_that_a_png_makes_transparent(bits: int) -> None:
    colors = np.asarray(photo((96, 64))).astype(np.int64)
    colors[:20] = (10, 20, 30)
    shown = colors.astype(np.uint8)
    shown[:20] = 255
    scale = 257 if bits == 16 else 1

    data = png(colors * scale, bits, 2, struct.pack(">3H", 10 * scale, 20 * scale, 30 * scale))

    require_shown(data, Image.fromarray(shown))


def png(samples: NDArray[np.int64], bits: int, color: int, transparent: bytes) -> bytes:
    """A PNG of these samples, [height, width, channels], of which one color is transparent."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = samples.shape
    places = np.arange(bits - 1, -1, -1)
    rows = np.packbits((samples.reshape(height, -1, 1) >> places & 1).reshape(height, -1).astype(np.uint8), axis=1)
    data = zlib.compress(np.insert(rows, 0, 0, axis=1).tobytes())
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"tRNS", transparent), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def bmp(picture: Image.Image, alpha: NDArray[np.uint8]) -> bytes:
    """A BMP of 32 bits with a mask for alpha (BITMAPV5HEADER)."""
    pixels = np.dstack([np.asarray(picture)[..., ::-1], alpha])[::-1].tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = struct.pack("<IiiHHIIiiII", 124, *picture.size, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks
    head = head.ljust(124, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + 124 + len(pixels), 0, 0, 14 + 124) + head + pixels


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (14, 16, "has a header type (16) that"),  # OS/2's short one
        (28, 2, "has a pixel depth (2) that"),
        (30, 4, "has a compression (4) that"),  # a JPEG within
        (54, 0x0F, "has a bitfields layout that"),
    ],
)
def test_a_bmp_of_a_rare_kind_is_refused_by_name(place: int, value: int, words: str) -> None:
    data = bytearray(bmp(photo((20, 30)), np.full((30, 20), 255, np.uint8)))
    data[place : place + 2] = value.to_bytes(2, "little")
    with pytest.raises(UnsupportedImage, match=re.escape(words)):
        read_pixels(bytes(data), Preprocessing((20, 20)))


def test_a_bmp_without_any_alpha_is_opaque() -> None:
    picture = photo((96, 64))
    nothing = np.zeros((64, 96), np.uint8)
    require_shown(bmp(picture, nothing), picture)
    require_shown(bmp(picture, nothing + 255), picture)
    half = nothing.copy()
    half[:32] = 255
    expected = picture.copy()
    expected.paste("white", (0, 32, 96, 64))
    require_shown(bmp(picture, half), expected)


def test_no_other_module_opens_images() -> None:
    """The list of formats guards the decoders only as long as this is the one way to them."""
    sources = PROJECT / "backend" / "clip"
    callers = [path.name for path in sources.rglob("*.py") if "Image.open(" in path.read_text()]
    assert callers == ["image.py"]
