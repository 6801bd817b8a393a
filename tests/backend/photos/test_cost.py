"""The cost of a file by its header, with Pillow as the oracle for sizes."""

import io
import struct
import warnings

import pytest
from PIL import Image

from backend.clip.errors import TooManyPixels
from backend.clip.photos import image  # noqa: F401 (registers AVIF and HEIF)
from backend.clip.photos.cost import Cost
from backend.clip.photos.formats import FORMATS
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


_FAST: dict[str, dict[str, object]] = {"HEIF": {"enc_params": {"preset": "ultrafast"}}, "AVIF": {"speed": 10}}


def opened(data: bytes, size: int | None = None) -> Cost:
    """The cost of a file, as if it had ``size`` bytes."""
    with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
        picture = Image.open(io.BytesIO(data))
    with picture:
        return Cost.of(picture, len(data) if size is None else size)


@pytest.mark.parametrize("name", FORMATS)
def test_twice_the_pixels_cost_twice_as_much(name: str) -> None:
    one, two = (opened(encoded(photo((64, height)), name), height * 64) for height in (64, 128))
    assert (one.pixels, two.pixels) == (64 * 64, 64 * 128)
    assert two.seconds == pytest.approx(2 * one.seconds)


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("HEIF", {240_000: 0.18, 2_000_000: 0.66, 3_430_000: 0.70, 5_700_000: 1.20, 8_800_000: 1.55}),
        ("AVIF", {220_000: 0.23, 790_000: 0.29, 4_010_000: 0.49, 7_310_000: 0.70}),
        # 8 bits gray and color with alpha, 16 bits gray and color with alpha, all with grain
        ("PNG", {6_700_000: 0.23, 26_800_000: 0.53, 20_500_000: 0.28, 82_100_000: 0.72}),
        ("TIFF", {10_300_000: 0.19, 17_200_000: 0.41, 39_200_000: 0.42, 60_500_000: 0.34}),
        ("GIF", {2_300_000: 0.16, 11_000_000: 0.29, 15_100_000: 0.36}),
    ],
)
def test_an_honest_photo_of_many_bytes_costs_what_was_measured(name: str, measured: dict[int, float]) -> None:
    """Processor seconds of photographs of 12 megapixels, by the bytes of their files."""
    picture = encoded(Image.new("RGB", (4000, 3000)), name, **_FAST.get(name, {}))
    for size, seconds in measured.items():
        assert seconds / 1.5 < opened(picture, size).seconds < 2.5 * seconds


def test_a_jpeg_costs_by_its_samples_and_scans() -> None:
    picture = photo((640, 480))
    small, large = encoded(picture, "JPEG", subsampling=2), encoded(picture, "JPEG", subsampling=0)
    assert opened(large).seconds == pytest.approx(2 * opened(small).seconds)
    assert opened(encoded(picture, "JPEG", progressive=True)).seconds > 3 * opened(small).seconds
    assert opened(encoded(picture.convert("L"), "JPEG")).seconds < opened(small).seconds


@pytest.mark.parametrize("size", [(8160, 6144), (8192, 6144), (8688, 5792), (8192, 8192)])
def test_what_cameras_make_is_decoded_in_full(size: tuple[int, int]) -> None:
    Cost(size, 0).require()


def test_too_many_pixels_are_named_with_what_to_do() -> None:
    said = (
        "The photo has 8,193 by 8,192 pixels, 67,117,056 in all; at most 67,108,864 are accepted: send a smaller copy"
    )
    with pytest.raises(TooManyPixels, match=said):
        Cost((8193, 8192), 0).require()
    with pytest.raises(TooManyPixels, match="has 16 by 16 pixels, in tiles of 100,000,000; at most"):
        Cost((16, 16), 0, tile=100_000_000).require()


def header(size: tuple[int, int], **options: object) -> bytes:
    """A small JPEG whose header claims this size."""
    data = bytearray(encoded(photo((64, 64)), "JPEG", **options))
    at = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", size[1], size[0])
    return bytes(data)


def test_a_jpeg_may_have_more_because_it_is_shrunk_while_it_is_decoded() -> None:
    for size in ((12_000, 9000), (16_320, 12_240)):  # 108 and 200 megapixels
        opened(header(size)).require()
        opened(header(size, progressive=True)).require()
    opened(header((16_384, 16_384))).require()
    with pytest.raises(TooManyPixels, match=r"16,384 by 16,385 pixels, .* at most 268,435,456"):
        opened(header((16_384, 16_385))).require()


def test_a_progressive_jpeg_has_as_many_samples_as_fit_into_memory() -> None:
    opened(header((12_000, 9000), progressive=True, subsampling=0)).require()
    with pytest.raises(TooManyPixels, match=r"progressive .* too much memory: .* baseline"):
        opened(header((16_320, 12_240), progressive=True, subsampling=0)).require()


def test_a_webp_may_have_fewer_because_its_decoder_takes_more_memory() -> None:
    def claimed(width: int, height: int) -> Cost:
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return Cost.of_webp(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + size)

    claimed(8192, 6144).require()
    with pytest.raises(TooManyPixels, match="at most 50,331,648"):
        claimed(8192, 6145).require()
