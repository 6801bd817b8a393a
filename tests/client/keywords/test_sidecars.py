"""``--xmp`` and ``--undo``: files beside the photos, which stay as they are."""

import os
import signal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from photo_labels.folder import RAW_ENDINGS
from photo_labels.keywords.sidecars import KeywordsError, sidecar_of, write
from photo_labels.keywords.words import Words
from tests.client.command import label, results, start
from tests.client.fake_service import FakeService, answer
from tests.client.keywords.sidecars import (
    DARKTABLE,
    DIGIKAM,
    canonical,
    exiftool,
    needs_exiftool,
)
from tests.client.photos import write_photos
from tests.launch import PROJECT, Running, wait_for

BEAGLE = {"label": "beagle", "confidence": 0.9, "path": ["animal", "mammal", "dog"]}


@pytest.fixture
def tagging(service: FakeService) -> FakeService:
    """Says of each photo that it is a beagle and what its text says."""

    def behave(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        if "tags=1" not in request.path:
            return False
        text = photo.decode()
        said: dict[str, Any] = {"predictions": [{"label": "worm", "score": 1.0}], "recognized": False}
        if text != "nothing":
            said["tags"] = [BEAGLE, {"label": f"number {text}", "confidence": 0.5, "path": []}]
        answer(request, 200, said)
        service.answered[text] += 1
        return True

    service.behave = behave
    return service


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_sidecars_are_merged_twice_alike_and_undone(tagging: FakeService, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    names = write_photos(photos, 12)
    (photos / "nothing.jpg").write_text("nothing")
    (photos / "0" / "1.jpg.xmp").write_text(DARKTABLE)
    (photos / "0" / "2.jpg.xmp").write_text(DIGIKAM)
    (photos / "0" / "2.jpg.xmp").chmod(0o640)
    before = contents(photos)

    first = label(photos, "--url", tagging.url, "--xmp")
    assert first.returncode == 0, first.stderr
    after = contents(photos)
    assert after.keys() == before.keys() | {f"{name}.xmp" for name in names}
    for name in names:
        assert after[name] == before[name]
        assert f"<rdf:li>number {Path(name).stem}</rdf:li>".encode() in after[f"{name}.xmp"]
        assert b"<rdf:li>auto|animal|mammal|dog|beagle</rdf:li>" in after[f"{name}.xmp"]
    assert b'xmp:Rating="4"' in after["0/1.jpg.xmp"]
    assert (photos / "0" / "2.jpg.xmp").stat().st_mode & 0o777 == 0o640

    times = {name: (photos / name).stat().st_mtime_ns for name in after}
    assert label(photos, "--url", tagging.url, "--xmp").returncode == 0
    assert contents(photos) == after
    assert {name: (photos / name).stat().st_mtime_ns for name in after} == times

    undone = label(photos, "--undo")
    assert (undone.returncode, undone.stdout) == (0, "")
    assert undone.stderr == "The keywords were removed from 12 files.\n"
    left = contents(photos)
    assert left.keys() == before.keys()
    for name, content in left.items():
        if name.endswith(".xmp"):
            assert canonical(content) == canonical(before[name])
        else:
            assert content == before[name]
    assert label(photos, "--undo").stderr == "The keywords were removed from 0 files.\n"


@needs_exiftool
def test_with_the_real_service(application: Running, tmp_path: Path) -> None:
    (tmp_path / "coffee.jpg").write_bytes((PROJECT / "docs" / "photos" / "coffee.jpg").read_bytes())
    ended = label(tmp_path, "--url", f"{application.url}/function/clip", "--xmp")
    said = results(ended.stdout)["coffee.jpg"]
    read = exiftool(tmp_path / "coffee.jpg.xmp")
    words = {tag["label"] for tag in said["tags"]}
    assert words | {"cup"} <= set(read["XMP-dc:Subject"])
    paths = {"|".join(["auto", *tag["path"], tag["label"]]) for tag in said["tags"]}
    assert paths <= set(read["XMP-lr:HierarchicalSubject"])
    assert {path.replace("|", "/") for path in paths} <= set(read["XMP-digiKam:TagsList"])


def test_what_is_no_longer_recognized_goes_and_the_rest_stays(tagging: FakeService, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("1")
    (tmp_path / "a.jpg.xmp").write_text(DIGIKAM)
    label(tmp_path, "--url", tagging.url, "--xmp")
    (tmp_path / "a.jpg").write_text("2")
    label(tmp_path, "--url", tagging.url, "--xmp")
    written = (tmp_path / "a.jpg.xmp").read_text()
    assert "number 2" in written
    assert "number 1" not in written
    assert "Orte/Köln" in written
    (tmp_path / "a.jpg").write_text("nothing")
    label(tmp_path, "--url", tagging.url, "--xmp")
    assert canonical((tmp_path / "a.jpg.xmp").read_bytes()) == canonical(DIGIKAM.encode())


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><x>&a;</x>'


def test_a_hostile_sidecar_costs_its_photo_and_stays(tagging: FakeService, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, 8)
    place = photos / "0"
    (place / "1.jpg.xmp").write_text(BOMB)
    (place / "2.jpg.xmp").write_text("Dear diary")
    (place / "3.jpg.xmp").touch()
    with (place / "4.jpg.xmp").open("wb") as file:
        file.truncate(100_000_000)
    (tmp_path / "elsewhere.xmp").write_text(DIGIKAM)
    (place / "5.jpg.xmp").symlink_to(tmp_path / "elsewhere.xmp")
    (place / "6.jpg.xmp").mkdir()
    arguments = (photos, "--url", tagging.url, "--out", tmp_path / "labels.jsonl", "--xmp")

    ended = label(*arguments)

    assert ended.returncode == 1
    assert results((tmp_path / "labels.jsonl").read_text()).keys() == {"0/0.jpg", "0/7.jpg"}
    for number, problem in {
        1: "its sidecar has a document type, which XMP does not have",
        2: "its sidecar is not XML (",
        3: "its sidecar is empty",
        4: "its sidecar has more than 8,388,608 bytes",
        5: "its sidecar cannot be read (",
        6: "its sidecar cannot be read (Is a directory)",
    }.items():
        [line] = [line for line in ended.stderr.splitlines() if f"0/{number}.jpg" in line]
        assert f"left for the next run, {problem}" in line
    assert (place / "1.jpg.xmp").read_text() == BOMB
    assert (tmp_path / "elsewhere.xmp").read_text() == DIGIKAM
    assert (place / "5.jpg.xmp").is_symlink()
    assert not list(place.glob(".*"))

    (place / "2.jpg.xmp").unlink()
    label(*arguments)
    assert "0/2.jpg" in results((tmp_path / "labels.jsonl").read_text())


def test_lightrooms_names(tmp_path: Path) -> None:
    for ending in sorted(RAW_ENDINGS):
        photo = tmp_path / f"IMG{ending.upper()}"
        assert sidecar_of(photo, "darktable").name == f"IMG{ending.upper()}.xmp"
        expected = "IMG.DNG.xmp" if ending == ".dng" else "IMG.xmp"
        assert sidecar_of(photo, "lightroom").name == expected
    assert sidecar_of(tmp_path / "IMG.jpg", "lightroom").name == "IMG.jpg.xmp"
    (tmp_path / "IMG.NEF").touch()
    with pytest.raises(KeywordsError, match="another raw file has the same"):
        sidecar_of(tmp_path / "IMG.cr2", "lightroom")
    assert sidecar_of(tmp_path / "IMG.NEF", "lightroom").name == "IMG.xmp"


def test_lightrooms_style_is_written_and_undone(tagging: FakeService, tmp_path: Path) -> None:
    (tmp_path / "a.NEF").write_text("1")
    (tmp_path / "a.jpg").write_text("2")
    assert label(tmp_path, "--url", tagging.url, "--xmp", "--xmp-style", "lightroom").returncode == 0
    assert "number 1" in (tmp_path / "a.xmp").read_text()
    assert "number 2" in (tmp_path / "a.jpg.xmp").read_text()
    label(tmp_path, "--undo")
    assert {path.name for path in tmp_path.iterdir()} == {"a.NEF", "a.jpg"}


def test_a_sidecar_is_the_old_or_the_new_one_after_kill_9(tagging: FakeService, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    names = write_photos(photos, 300)
    for name in names:
        (photos / f"{name}.xmp").write_text(DARKTABLE)
    arguments = (photos, "--url", tagging.url, "--out", tmp_path / "labels.jsonl", "--xmp")
    label(*arguments)
    complete = contents(photos)
    for name in names:
        (photos / f"{name}.xmp").write_text(DARKTABLE)
    (tmp_path / "labels.jsonl").unlink()

    def written() -> int:
        return sum((photos / f"{name}.xmp").read_bytes() != DARKTABLE.encode() for name in sorted(names)[:100])

    for at_least in (10, 40, 70):
        with start(*arguments) as process:
            wait_for(lambda wanted=at_least: written() > wanted, "no sidecars")  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
        for name in names:
            assert (photos / f"{name}.xmp").read_bytes() in (DARKTABLE.encode(), complete[f"{name}.xmp"])
    assert label(*arguments).returncode == 0
    # What a run has left that was ended within a write is empty or half, hidden, and written over by the next.
    visible = {name: content for name, content in contents(photos).items() if not Path(name).name.startswith(".")}
    assert visible == complete
    assert results((tmp_path / "labels.jsonl").read_text()).keys() == names


def test_a_full_disk_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg.xmp").write_text(DIGIKAM)

    def full(_descriptor: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(KeywordsError, match=r"its sidecar cannot be written \(No space left on device\)"):
        write(tmp_path / "a.jpg.xmp", Words(("dog",), (("dog",),)))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.jpg.xmp": DIGIKAM}


def test_two_runs_at_a_time_do_not_spoil_a_sidecar(tagging: FakeService, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    names = write_photos(photos, 100)
    with start(photos, "--url", tagging.url, "--xmp") as one, start(photos, "--url", tagging.url, "--xmp") as two:
        said = [process.communicate(timeout=60)[1] for process in (one, two)]
    assert all("Traceback" not in each for each in said)
    assert label(photos, "--url", tagging.url, "--xmp").returncode == 0
    for name in names:
        assert (photos / f"{name}.xmp").read_text().count(f"<rdf:li>number {Path(name).stem}</rdf:li>") == 2
    label(photos, "--undo")
    assert contents(photos).keys() == names
