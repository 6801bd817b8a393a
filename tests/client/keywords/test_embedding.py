"""``--embed``: keywords in the photos themselves, by ExifTool."""

import shutil
import subprocess
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from photo_labels.keywords.embedding import Embedder
from photo_labels.keywords.sidecars import KeywordsError
from photo_labels.keywords.words import Words
from tests.client.command import ENVIRONMENT, label, results, start
from tests.client.fake_service import FakeService, answer
from tests.client.keywords.sidecars import exiftool, exiv2, needs_exiftool, needs_exiv2
from tests.client.photos import picture
from tests.launch import wait_for

TAGS = [{"label": "beagle", "confidence": 0.9, "path": ["animal", "mammal", "dog"]}]
ENDINGS = ("jpg", "png", "gif", "tif")

pytestmark = needs_exiftool


@pytest.fixture
def tagging(service: FakeService) -> FakeService:
    def behave(request: BaseHTTPRequestHandler, _photo: bytes) -> bool:
        answer(request, 200, {"predictions": [{"label": "worm", "score": 1.0}], "recognized": False, "tags": TAGS})
        service.answered["a photo"] += 1
        return True

    service.behave = behave
    return service


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for n, ending in enumerate(ENDINGS):
        picture(n).resize((120, 90)).save(folder / f"{n}.{ending}")
    set_tags(folder / "0.jpg", "-XMP-dc:Subject=Ada", "-XMP-xmp:Rating=4", "-EXIF:Artist=Grace")
    return folder


def set_tags(photo: Path, *changes: str) -> None:
    subprocess.run(["exiftool", "-q", "-overwrite_original", *changes, str(photo)], check=True, timeout=60)


def pixels(photo: Path) -> np.ndarray:
    with Image.open(photo) as image:
        return np.asarray(image.convert("RGB"))


def test_words_are_put_in_and_taken_out(tagging: FakeService, photos: Path, tmp_path: Path) -> None:
    originals = {path.name: path.read_bytes() for path in photos.iterdir()}
    seen = {path.name: pixels(path) for path in photos.iterdir()}
    arguments = (photos, "--url", tagging.url, "--out", tmp_path / "labels.jsonl", "--embed")

    ended = label(*arguments)

    assert ended.returncode == 0, ended.stderr
    for name, original in originals.items():
        read = exiftool(photos / name)
        own = ["Ada"] if name == "0.jpg" else []
        assert read["XMP-dc:Subject"] == [*own, "beagle", "dog", "mammal", "animal"]
        assert read["XMP-lr:HierarchicalSubject"] == ["auto|animal|mammal|dog|beagle"]
        assert (pixels(photos / name) == seen[name]).all()
        assert (photos / f"{name}_original").read_bytes() == original
    assert exiftool(photos / "0.jpg")["XMP-xmp:Rating"] == ["4"]
    assert len(list(photos.iterdir())) == 2 * len(ENDINGS)

    # The files have changed by this run itself, which is not a change to ask again for.
    written = {path.name: path.read_bytes() for path in photos.iterdir()}
    assert label(*arguments).stderr.startswith("4 photos: 0 in ")
    assert label(photos, "--url", tagging.url, "--embed").returncode == 0
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == written

    assert label(photos, "--undo", "--embed").stderr == "The keywords were removed from 4 files.\n"
    for name in originals:
        read = exiftool(photos / name)
        assert read.get("XMP-dc:Subject") == (["Ada"] if name == "0.jpg" else None)
        assert not any("photoLabels" in tag or "Hierarchical" in tag or "TagsList" in tag for tag in read)
        assert (pixels(photos / name) == seen[name]).all()
        assert (photos / f"{name}_original").read_bytes() == originals[name]


@needs_exiv2
def test_exiv2_reads_them(tagging: FakeService, photos: Path) -> None:
    label(photos, "--url", tagging.url, "--embed", "--no-backup")
    assert len(list(photos.iterdir())) == len(ENDINGS)
    assert exiv2(photos / "0.jpg")["Xmp.dc.subject"] == ["Ada", "beagle", "dog", "mammal", "animal"]
    assert exiv2(photos / "1.png")["Xmp.digiKam.TagsList"] == ["auto/animal/mammal/dog/beagle"]


def test_names_that_would_be_options_or_lines(tagging: FakeService, tmp_path: Path) -> None:
    (tmp_path / "-a").mkdir()
    names = ["-delete_original.jpg", "two\nlines.jpg", 'a\\n"$@b.jpg', "août.jpg"]
    for name in names:
        picture(1).save(tmp_path / "-a" / name)
    ended = label(tmp_path, "--url", tagging.url, "--embed", "--no-backup")
    assert ended.returncode == 1, ended.stderr
    assert "left for the next run, ExifTool takes no name with a line break: -a/two?lines.jpg\n" in ended.stderr
    assert {path.name for path in (tmp_path / "-a").iterdir()} == set(names)
    for name in set(names) - {"two\nlines.jpg"}:
        (tmp_path / "-a" / name).rename(tmp_path / "plain.jpg")
        assert exiftool(tmp_path / "plain.jpg")["XMP-dc:Subject"][0] == "beagle"


def test_a_file_that_cannot_be_written_costs_its_photo(tagging: FakeService, photos: Path) -> None:
    (photos / "broken.jpg").write_text("This is not a photo.")
    picture(1).resize((80, 60)).save(photos / "b.bmp")
    ended = label(photos, "--url", tagging.url, "--embed", "--no-backup")
    assert ended.returncode == 1
    assert results(ended.stdout).keys() == {path.name for path in photos.iterdir()} - {"broken.jpg", "b.bmp"}
    lines = [line for line in ended.stderr.splitlines() if "left for the next run, ExifTool: " in line]
    assert len(lines) == 2
    assert (photos / "broken.jpg").read_text() == "This is not a photo."
    assert not list(photos.glob(".*"))


def test_kill_9_leaves_the_old_or_the_new_photo(tagging: FakeService, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    picture(1).save(photos / "0.jpg")
    original = (photos / "0.jpg").read_bytes()
    for n in range(1, 60):
        (photos / f"{n}.jpg").write_bytes(original)
    arguments = (photos, "--url", tagging.url, "--out", tmp_path / "labels.jsonl", "--embed", "--no-backup")

    def changed() -> int:
        return sum(path.read_bytes() != original for path in photos.glob("[0-9]*.jpg"))

    for at_least in (5, 20):
        with start(*arguments) as process:
            wait_for(lambda wanted=at_least: changed() >= wanted, "nothing is written")  # type: ignore[misc]
            exiftools = psutil.Process(process.pid).children(recursive=True)
            process.kill()
        assert exiftools
        assert psutil.wait_procs(exiftools, 20)[1] == []
        new = {path.read_bytes() for path in photos.glob("[0-9]*.jpg")} - {original}
        assert len(new) == 1
    assert label(*arguments).returncode == 0
    assert {path.read_bytes() for path in photos.glob("[0-9]*.jpg")} == new
    assert results((tmp_path / "labels.jsonl").read_text()).keys() == {f"{n}.jpg" for n in range(60)}


def test_an_exiftool_that_ends_costs_a_photo(photos: Path) -> None:
    embedder = Embedder(keeps_backup=False)
    words = Words(("dog",), (("dog",),))
    with closing(embedder):
        assert embedder.write(photos / "0.jpg", words)
        for process in psutil.Process().children(recursive=True):
            if "-stay_open" in process.cmdline():
                process.kill()
        with pytest.raises(KeywordsError, match="ExifTool has ended"):
            embedder.write(photos / "1.png", words)
        assert embedder.write(photos / "1.png", words)


def test_without_exiftool_it_says_what_to_install(tagging: FakeService, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    ended = label(photos, "--url", tagging.url, "--embed", environment=ENVIRONMENT | {"PATH": str(tmp_path / "bin")})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("--embed needs ExifTool (Debian: apt install libimage-exiftool-perl")
    assert shutil.which("exiftool")
