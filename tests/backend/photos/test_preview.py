"""Small pictures of photos in the answer, through the gateway and a real server process."""

import base64
import io
from typing import Any

import numpy as np
import pytest
import requests
from PIL import ExifTags, Image, ImageCms

from backend.clip.photos.preview import MAX_SIDE
from tests.backend.asking import error_code, post
from tests.launch import Running
from tests.pictures import encoded, photo

_ON = {"preview": "1"}


def shown(answer: dict[str, Any]) -> Image.Image:
    """The preview in an answer."""
    kind, _, data = answer["preview"].partition(",")
    assert kind == "data:image/jpeg;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
    assert image.format == "JPEG"
    image.load()
    return image


def levels(image: Image.Image) -> "np.ndarray[Any, Any]":
    return np.asarray(image.convert("RGB").resize((24, 16), Image.Resampling.BOX), np.float64)


@pytest.mark.parametrize("name", ["HEIF", "TIFF", "AVIF", "JPEG", "PNG", "WEBP"])
def test_the_photo_is_shown_whole_and_small(name: str, clip_url: str) -> None:
    image = photo((1200, 800))

    answer = post(clip_url, encoded(image, name), params=_ON).json()

    small = shown(answer)
    assert max(small.size) <= MAX_SIDE
    assert small.width / small.height == pytest.approx(1.5, abs=0.01)
    assert np.abs(levels(small) - levels(image)).mean() < 4


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 300), (400, 300)), ((2000, 1500), (512, 384)), ((3, 9000), (1, 512)), ((9000, 1), (512, 1))],
)
def test_nothing_is_enlarged(size: tuple[int, int], expected: tuple[int, int], clip_url: str) -> None:
    answer = post(clip_url, encoded(Image.new("RGB", size, (10, 200, 30)), "PNG"), params=_ON)

    assert shown(answer.json()).size == expected


def test_it_is_upright_and_says_nothing_else_of_the_photo(clip_url: str) -> None:
    image = photo((900, 600))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "somebody"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = encoded(image, "JPEG", exif=exif, comment=b"somebody", xmp=b"<x>somebody</x>", icc_profile=profile)

    answer = post(clip_url, file, params=_ON)

    small = shown(answer.json())
    assert small.size == (341, 512)
    turned = image.transpose(Image.Transpose.ROTATE_270)
    assert np.abs(levels(small) - levels(turned)).mean() < 4
    assert b"somebody" not in base64.b64decode(answer.json()["preview"].partition(",")[2])
    assert "icc_profile" not in small.info
    assert not small.getexif()


def test_the_rest_of_the_answer_is_the_same(clip_url: str) -> None:
    for name, size in (("JPEG", (3000, 2000)), ("HEIF", (900, 600))):
        file = encoded(photo(size), name)
        plain = post(clip_url, file).json()
        with_preview = post(clip_url, file, params=_ON).json()
        assert "preview" not in plain
        assert with_preview.pop("preview")
        assert with_preview == plain
        assert post(clip_url, file, params={"preview": "0"}).json() == plain


def test_in_a_form_each_photo_has_its_own(application: Running) -> None:
    sizes = [(300, 200), (200, 300)]
    files = [("photo", (f"{i}.heic", encoded(photo(size), "HEIF"))) for i, size in enumerate(sizes)]
    for function in ("clip", "index"):
        url = f"{application.url}/function/{function}"
        one = requests.post(url, files=files[:1], data=_ON, timeout=60).json()
        several = requests.post(url, files=[*files, ("photo", ("x", b"text"))], data=_ON, timeout=60).json()

        assert shown(one).size == sizes[0]
        assert [shown(result).size for result in several["results"][:2]] == sizes
        assert several["results"][2].keys() == {"error"}


def test_fifty_megapixels(clip_url: str) -> None:
    """A preview fits into the time and memory that decoding has anyway."""
    for name, options in (("PNG", {"compress_level": 1}), ("TIFF", {"compression": "tiff_lzw"})):
        file = encoded(Image.new("RGB", (8000, 6250), (200, 30, 90)), name, **options)
        assert shown(post(clip_url, file, params=_ON).json()).size == (512, 400)


@pytest.mark.parametrize("values", [["yes please"], ["2"], ["1", "0"], [""]])
def test_a_value_that_makes_no_sense(values: list[str], clip_url: str) -> None:
    answer = post(clip_url, encoded(photo((64, 64)), "PNG"), params={"preview": values})
    expected = 200 if values == [""] else 400

    assert answer.status_code == expected
    if expected == 400:
        assert error_code(answer) == "bad_parameter"
