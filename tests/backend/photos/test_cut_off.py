"""Photos whose file ends too early, as uploads and cards leave them, and JPEG that Pillow cannot read in pieces."""

import base64
import io
import shutil
import subprocess
from functools import cache
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from backend.clip.errors import CorruptImage
from backend.clip.photos.image import read_photo
from backend.clip.photos.photo import CUT_OFF
from backend.clip.photos.preprocessing import Preprocessing
from tests.backend.asking import error_code, post, top
from tests.launch import Running
from tests.pictures import encoded, photo

SIZE = (640, 480)
PICTURE = photo(SIZE)
WHOLE = Preprocessing(SIZE[::-1], "squash")
"""All of the picture, so that missing rows can be seen."""
JPEGS: dict[str, dict[str, Any]] = {
    "4:2:0": {},
    "4:4:4": {"subsampling": 0},
    "restarts": {"restart_marker_rows": 2},
    "progressive": {"progressive": True},
    "gray": {"mode": "L"},
    "CMYK": {"mode": "CMYK"},
}


@cache
def jpeg(kind: str, size: tuple[int, int] = SIZE) -> bytes:
    options = dict(JPEGS[kind])
    return encoded(photo(size).convert(options.pop("mode", "RGB")), "JPEG", quality=90, **options)


@pytest.mark.parametrize("size", [SIZE, (1203, 907)])
@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize(
    "end", [b"", b"\xff", b"SEFH" * 20, b"\0" * 70_000, b"\xff\xd8\xff\xe0\0\x10JFIF\0 a preview" * 3]
)
def test_a_jpeg_without_its_last_mark_is_complete(end: bytes, kind: str, size: tuple[int, int]) -> None:
    data = jpeg(kind, size)
    assert data.endswith(b"\xff\xd9")
    small = Preprocessing((224, 224))

    read = read_photo(data[:-2] + end, small)

    assert read.warnings == ()
    np.testing.assert_array_equal(read.pixels, read_photo(data, small).pixels)


@pytest.mark.parametrize("share", [0.55, 0.75, 0.97])
@pytest.mark.parametrize("kind", [kind for kind in JPEGS if kind != "progressive"])
def test_a_jpeg_that_is_cut_off_shows_what_is_there(kind: str, share: float) -> None:
    data = jpeg(kind)

    read = read_photo(data[: int(len(data) * share)], WHOLE)

    assert read.warnings == (CUT_OFF,)
    assert read.size == SIZE
    expected = read_photo(data, WHOLE).pixels
    there = int(SIZE[1] * (share - 0.05))
    np.testing.assert_array_equal(read.pixels[:there], expected[:there])
    assert np.abs(read.pixels[-8:].astype(int) - expected[-8:]).mean() > 5


@pytest.mark.parametrize("lost", [1, 20, 200])
def test_a_jpeg_that_lacks_a_part_of_its_last_row_says_so(lost: int) -> None:
    data = jpeg("4:2:0")
    assert read_photo(data[: -2 - lost], WHOLE).warnings == (CUT_OFF,)


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_less_than_half_of_a_jpeg_is_refused(kind: str, share: float) -> None:
    data = jpeg(kind)
    if kind == "progressive":
        data = data[: data.index(b"\xff\xda") + 2000]  # in the middle of the first scan
    with pytest.raises(CorruptImage, match="is cut off"):
        read_photo(data[: int(len(data) * share)] if kind != "progressive" else data, WHOLE)


def test_a_progressive_jpeg_is_answered_from_its_first_scans_on() -> None:
    data = jpeg("progressive")
    scans = [at for at in range(len(data)) if data.startswith(b"\xff\xda", at)]
    assert len(scans) > 5
    expected = read_photo(data, WHOLE).pixels.astype(int)
    errors = []
    for cut in (scans[2] + 100, scans[-1] - 500, len(data) - 100):
        read = read_photo(data[:cut], WHOLE)
        assert read.warnings == (CUT_OFF,)
        errors.append(np.abs(read.pixels - expected).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 12

    with pytest.raises(CorruptImage, match="at a low resolution"):
        read_photo(data[: scans[1] + 100], WHOLE)  # the means alone


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "I;16"])
def test_a_png_that_is_cut_off(mode: str) -> None:
    image = PICTURE.quantize(200) if mode == "P" else PICTURE.convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    data = encoded(image, "PNG")

    read = read_photo(data[: len(data) * 3 // 4], WHOLE)

    assert read.warnings == (CUT_OFF,)
    expected = read_photo(data, WHOLE).pixels
    np.testing.assert_array_equal(read.pixels[:300], expected[:300])
    assert (read.pixels[-50:] == 128).all()
    with pytest.raises(CorruptImage, match=r"is cut off: \d+ of its 480 rows"):
        read_photo(data[: len(data) // 3], WHOLE)


def test_a_png_without_its_last_chunk_is_complete() -> None:
    data = encoded(PICTURE, "PNG")
    read = read_photo(data[:-12], WHOLE)
    assert read.warnings == ()
    np.testing.assert_array_equal(read.pixels, np.asarray(PICTURE))


@pytest.mark.parametrize("name", ["GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_other_formats_are_refused(name: str) -> None:
    data = encoded(PICTURE, name)
    with pytest.raises(CorruptImage):
        read_photo(data[: len(data) * 3 // 4], WHOLE)


def arithmetic(data: bytes) -> bytes:
    """The JPEG, coded arithmetically by libjpeg's own tool."""
    tool = shutil.which("jpegtran")
    if tool is None:
        pytest.skip("jpegtran is not installed")
    return subprocess.run([tool, "-arithmetic"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("kind", ["4:2:0", "progressive"])
def test_arithmetic_coding_of_any_length(kind: str) -> None:
    data = jpeg(kind, (1600, 1200))
    coded = arithmetic(data)
    assert len(coded) > 1 << 16
    np.testing.assert_array_equal(read_photo(coded, WHOLE).pixels, read_photo(data, WHOLE).pixels)


CUT = jpeg("4:2:0")[:-10_000]


def test_the_answer_says_it_in_every_form(application: Running) -> None:
    for function in ("clip", "index"):
        url = f"{application.url}/function/{function}"
        answer = post(url, CUT)
        assert answer.json()["warnings"] == ["cut_off"]
        assert answer.headers["X-Warnings"] == "cut_off"
        text = post(url, CUT, headers={"Accept": "text/plain"})
        assert text.headers["X-Warnings"] == "cut_off"
        assert "cut_off" not in text.text
        zero_shot = requests.post(url, json={"inputs": base64.b64encode(CUT).decode()}, timeout=60)
        assert isinstance(zero_shot.json(), list)
        assert zero_shot.headers["X-Warnings"] == "cut_off"
        both = [("photo", ("a.jpg", jpeg("4:2:0"))), ("photo", ("b.jpg", CUT))]
        whole, cut = requests.post(url, files=both, timeout=60).json()["results"]
        assert "warnings" not in whole
        assert cut["warnings"] == ["cut_off"]


def test_embeddings_say_it_in_a_header(clip_url: str) -> None:
    uri = "data:image/jpeg;base64," + base64.b64encode(CUT).decode()
    answer = requests.post(f"{clip_url}/v1/embeddings", json={"input": [uri, uri]}, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["X-Warnings"] == "cut_off"


def test_a_whole_photo_has_no_warnings(clip_url: str) -> None:
    answer = post(clip_url, jpeg("4:2:0"))
    assert "warnings" not in answer.json()
    assert "X-Warnings" not in answer.headers


def test_a_preview_shows_the_same(clip_url: str) -> None:
    answer = post(clip_url, CUT, params={"preview": "1"}).json()
    small = Image.open(io.BytesIO(base64.b64decode(answer["preview"].partition(",")[2])))
    assert small.size == (512, 384)
    assert np.abs(np.asarray(small, np.int16)[-10:] - 128).mean() < 3


def test_most_of_a_large_photo(clip_url: str) -> None:
    """In the lanes for expensive images, decoded anew more than once."""
    data = jpeg("progressive", (2600, 2000))
    answer = post(clip_url, data[:-2])
    assert top(answer) == top(post(clip_url, data))
    assert "warnings" not in answer.json()


def test_what_is_too_short_says_how_much_is_there(clip_url: str) -> None:
    answer = post(clip_url, jpeg("4:2:0")[:20_000])
    assert error_code(answer) == "corrupt_image"
    assert "rows are there" in answer.json()["error"]["message"]
