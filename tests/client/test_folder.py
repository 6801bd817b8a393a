"""photo_labels/folder.py: what is a photo by its name, and files that are not what they were."""

import os
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

import backend.clip.photos.image  # noqa: F401 (registers what the function reads)
from backend.clip.photos import formats
from photo_labels.folder import IMAGE_ENDINGS, RAW_ENDINGS, Unreadable, Walk, read
from tests.raws import MAKERS


def test_the_endings_are_those_of_the_formats_that_clip_reads() -> None:
    Image.init()
    of_pillow = {ending for ending, name in Image.registered_extensions().items() if name in formats.FORMATS}
    assert of_pillow == IMAGE_ENDINGS
    assert {*formats.ENDINGS} == IMAGE_ENDINGS | RAW_ENDINGS


def test_camera_raw_files_are_photos_and_what_lies_beside_them_is_left_out(tmp_path: Path) -> None:
    photos = {f"a{ending}" for ending in RAW_ENDINGS} | {"IMG_1.HEIC", "B.NEF"}
    assert {f".{maker.lower()}" for maker in MAKERS} <= RAW_ENDINGS
    thumbnails = tmp_path / "@eaDir" / "IMG_1.HEIC"
    thumbnails.mkdir(parents=True)
    (thumbnails / "SYNOPHOTO_THUMB_XL.jpg").touch()
    for name in (*photos, "IMG_1.MOV", "IMG_1.AAE", "IMG_1.xmp", "B.NEF.xmp", "._IMG_1.HEIC", ".DS_Store"):
        (tmp_path / name).touch()

    walk = Walk(tmp_path)

    assert set(walk) == photos
    assert walk.left_out == {
        "not named like a photo": 3,
        "live photos' videos": 1,
        "hidden": 2,
        "folders of a server": 1,
    }
    assert walk.unreadable == {}


def test_what_has_become_something_else_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "target.jpg").write_text("x")
    (tmp_path / "link.jpg").symlink_to("target.jpg")
    for name in ("pipe.jpg", "link.jpg", "gone.jpg", "."):
        with pytest.raises(Unreadable):
            read(tmp_path / name, 100)


def test_a_file_that_changes_while_it_is_read_is_not_taken_half(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(bytes(1_000_000))
    stop = threading.Event()

    def write() -> None:
        with photo.open("r+b", buffering=0) as file:
            while not stop.is_set():
                file.truncate(500_000)
                file.truncate(1_000_000)

    writer = threading.Thread(target=write)
    writer.start()
    end = time.monotonic() + 20

    def read_until_it_changes() -> None:
        while time.monotonic() < end:
            assert len(read(photo, 2_000_000).data) in (500_000, 1_000_000)

    try:
        with pytest.raises(Unreadable, match="changed while it was read"):
            read_until_it_changes()
    finally:
        stop.set()
        writer.join()


def test_folders_in_folders_and_one_that_is_gone(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["deep"] * 60)
    deep.mkdir(parents=True)
    (deep / "a.JPG").touch()
    (tmp_path / "b.jpeg").touch()
    walk = Walk(tmp_path)
    assert sorted(walk) == ["b.jpeg", "deep/" * 60 + "a.JPG"]
    assert walk.unreadable == {}
    gone = Walk(tmp_path / "gone")
    assert list(gone) == []
    assert gone.unreadable == {".": "No such file or directory"}
