"""The cost of a file by its header, with Pillow as the oracle for sizes."""

import io

import pytest
from PIL import Image

from backend.clip import image  # noqa: F401 (registers AVIF and HEIF)
from backend.clip.cost import Cost
from backend.clip.errors import TooManyPixels
from backend.clip.formats import FORMATS
from tests.pictures import encoded, photo


@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}, {"save_all": True}]
)
@pytest.mark.parametrize("size", [(1, 1), (33, 77), (1000, 3), (16_383, 2)])
def test_the_size_of_a_webp(size: tuple[int, int], options: dict[str, object]) -> None:
    assert Cost.of_webp(encoded(Image.new("RGB", size), "WEBP", **options)).pixels == size[0] * size[1]


@pytest.mark.parametrize("length", range(16, 30))
def test_a_webp_without_a_size_still_has_a_cost(length: int) -> None:
    assert Cost.of_webp(encoded(photo((64, 64)), "WEBP")[:length]).pixels <= 64 * 64


def opened(data: bytes) -> Cost:
    with Image.open(io.BytesIO(data)) as picture:
        return Cost.of(picture)


@pytest.mark.parametrize("name", FORMATS)
def test_twice_the_pixels_cost_twice_as_much(name: str) -> None:
    one, two = opened(encoded(photo((64, 64)), name)), opened(encoded(photo((64, 128)), name))
    assert (one.pixels, two.pixels) == (64 * 64, 64 * 128)
    assert two.seconds == pytest.approx(2 * one.seconds)


def test_a_jpeg_costs_by_its_samples_and_scans() -> None:
    picture = photo((640, 480))
    small, large = encoded(picture, "JPEG", subsampling=2), encoded(picture, "JPEG", subsampling=0)
    assert opened(large).seconds == pytest.approx(2 * opened(small).seconds)
    assert opened(encoded(picture, "JPEG", progressive=True)).seconds > 3 * opened(small).seconds
    assert opened(encoded(picture.convert("L"), "JPEG")).seconds < opened(small).seconds


def test_too_many_pixels_are_named() -> None:
    with pytest.raises(TooManyPixels, match="50,000,001 pixels; at most 50,000,000"):
        Cost(50_000_001, 0).require()
    Cost(50_000_000, 0).require()
