"""Preprocessing against open_clip's own transform; the formats and modes go through HTTP in test_handler.py."""

import io
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from backend.clip.image import read_pixels
from backend.clip.preprocessing import Preprocessing
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


def test_no_other_module_opens_images() -> None:
    """The list of formats guards the decoders only as long as this is the one way to them."""
    sources = Path(__file__).parents[2] / "backend" / "clip"
    callers = [path.name for path in sources.rglob("*.py") if "Image.open(" in path.read_text()]
    assert callers == ["image.py"]
