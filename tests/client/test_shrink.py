"""Photos that are sent as small as the service needs them."""

import io
import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from backend.clip.photos.image import read_pixels
from backend.clip.photos.preprocessing import Preprocessing
from tests.client.command import ENVIRONMENT, label, results
from tests.client.fake_service import MAX_IMAGE_BYTES, FakeService, answer
from tests.launch import PROJECT, Running
from tests.pictures import encoded, photo

SIDE = 312
MODEL = Preprocessing((208, 208))
TURNED = Image.Exif()
TURNED[0x0112] = 6
TURNED[0x010E] = "of my garden"
WIDE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.fixture
def sent(service: FakeService) -> list[bytes]:
    """The photos that the service gets; it says how small they may be."""
    photos: list[bytes] = []

    def behave(request: BaseHTTPRequestHandler, data: bytes) -> bool:
        photos.append(data)
        answer(request, 200, {"predictions": [{"label": "cat", "score": 1.0}], "confidence": 1.0, "recognized": True})
        return True

    def describe(request: BaseHTTPRequestHandler) -> bool:
        limits = {"max_image_bytes": MAX_IMAGE_BYTES}
        answer(request, 200, {"model": "fake/photos", "sufficient_side": SIDE, "limits": limits})
        return True

    service.behave, service.describe = behave, describe
    return photos


@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_arrives_small_and_means_the_same(
    service: FakeService, sent: list[bytes], tmp_path: Path, progressive: bool
) -> None:
    image = photo((4000, 3000))
    large = encoded(image, "JPEG", quality=90, progressive=progressive, exif=TURNED, icc_profile=WIDE)
    assert len(large) > MAX_IMAGE_BYTES
    (tmp_path / "large.jpg").write_bytes(large)
    ended = label(tmp_path, "--url", service.url, "--shrink")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[1])["bytes"] == len(large)
    [small] = sent
    assert len(small) < MAX_IMAGE_BYTES
    with Image.open(io.BytesIO(small)) as arrived:
        assert arrived.size == (500, 375)
        assert dict(arrived.getexif()) == {0x0112: 6}
        assert arrived.info["icc_profile"] == WIDE
    plain = encoded(image, "JPEG", quality=90, progressive=progressive, exif=TURNED)
    (tmp_path / "large.jpg").write_bytes(plain)
    assert label(tmp_path, "--url", service.url, "--shrink").returncode == 0
    seen, before = (read_pixels(data, MODEL).astype(float) for data in (sent[1], plain))
    assert np.abs(seen - before).mean() < 1


def test_what_need_not_or_cannot_be_shrunk_arrives_as_it_is(
    service: FakeService, sent: list[bytes], tmp_path: Path
) -> None:
    image = photo((1300, 1000))
    jpeg = encoded(image, "JPEG", quality=30)
    files = {
        "small.jpg": encoded(photo((640, 620)), "JPEG", quality=60),
        "a.webp": encoded(image, "WEBP", quality=20),
        "cut off.jpg": jpeg[: len(jpeg) // 2],
        "printed.jpg": encoded(image.convert("CMYK"), "JPEG", quality=20),
        "tight.jpg": encoded(image, "JPEG", quality=1),
        "text.jpg": b"not a photo",
    }
    for name, data in files.items():
        assert len(data) < MAX_IMAGE_BYTES
        (tmp_path / name).write_bytes(data)
    assert label(tmp_path, "--url", service.url, "--shrink").returncode == 0
    assert sorted(sent) == sorted(files.values())


def test_what_is_still_too_large_is_not_sent(service: FakeService, sent: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "noise.png").write_bytes(encoded(photo((600, 400)), "PNG"))
    ended = label(tmp_path, "--url", service.url, "--shrink")
    assert (ended.returncode, results(ended.stdout)["noise.png"]["error"]["code"]) == (1, "body_too_large")
    assert not sent


def test_without_the_option_nothing_is_shrunk(service: FakeService, sent: list[bytes], tmp_path: Path) -> None:
    jpeg = encoded(photo((1300, 1000)), "JPEG", quality=30)
    (tmp_path / "a.jpg").write_bytes(jpeg)
    assert label(tmp_path, "--url", service.url).returncode == 0
    assert sent == [jpeg]


def test_a_service_that_does_not_say_how_small_is_named(service: FakeService, tmp_path: Path) -> None:
    ended = label(tmp_path, "--url", service.url, "--shrink")
    message = "This service does not say how small photos may be: it is older than --shrink.\n"
    assert (ended.returncode, ended.stderr) == (2, message)


def test_without_pillow_it_says_what_to_install(service: FakeService, tmp_path: Path) -> None:
    program = "import sys; sys.modules['PIL'] = None; from photo_labels.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", program, str(tmp_path), "--url", service.url, "--shrink"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    assert (ended.returncode, ended.stderr) == (2, "--shrink needs Pillow: pipx install 'photo-labels[shrink]'.\n")


def test_the_real_service_answers_alike(application: Running, tmp_path: Path) -> None:
    with Image.open(PROJECT / "docs/photos/coffee.jpg") as image:
        large = image.resize((8 * image.width, 8 * image.height), Image.Resampling.BICUBIC)
    (tmp_path / "coffee.jpg").write_bytes(encoded(large, "JPEG", quality=90))
    said = []
    for options in ([], ["--shrink"]):
        ended = label(tmp_path, "--url", f"{application.url}/function/clip", "--vocabulary", "all", *options)
        assert ended.returncode == 0, ended.stderr
        said.append(results(ended.stdout)["coffee.jpg"])
    plain, shrunk = said
    assert shrunk["predictions"][0]["label"] == plain["predictions"][0]["label"]
    assert shrunk["confidence"] == pytest.approx(plain["confidence"], abs=0.02)


def test_an_index_is_made_of_small_photos(application: Running, tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    (album / "large.jpg").write_bytes(encoded(photo((4000, 3000)), "JPEG", quality=85))
    (album / "same.jpg").write_bytes(encoded(photo((4000, 3000)), "JPEG", quality=60))
    command = [sys.executable, "-m", "photo_labels", "duplicates", str(album), "--shrink"]
    command += ["--index", str(tmp_path / "index"), "--url", f"{application.url}/function/clip"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"files": ["large.jpg", "same.jpg"]}
