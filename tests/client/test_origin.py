"""The output says what it is of: results of another folder, service, model or choice of labels never pass for these."""

import csv
import json
import os
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.client.command import label, results
from tests.client.fake_service import DESCRIPTION, FakeService, answer, fake_service
from tests.client.photos import write_photos


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with a photo of the same name."""
    for name in ("apples", "clocks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "IMG_0001.png").write_text(name[:-1])
    return tmp_path / "apples", tmp_path / "clocks"


@pytest.mark.parametrize("name", ["labels.jsonl", "labels.csv"])
def test_a_second_folder_does_not_get_the_labels_of_the_first(
    service: FakeService, folders: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    apples, clocks = folders
    options = ("--url", service.url, "--out", tmp_path / name)
    assert label(apples, *options).returncode == 0
    written = (tmp_path / name).read_bytes()
    refused = label(clocks, *options)
    assert refused.returncode == 2
    assert f"has results of another run: the folder {apples}, {clocks} here. Choose another file, " in refused.stderr
    assert (tmp_path / name).read_bytes() == written
    assert service.answered == {"apple": 1}

    anew = label(clocks, *options, "--force")
    assert anew.returncode == 0
    assert anew.stderr.startswith("1 photo: 1 in ")
    text = (tmp_path / name).read_text()
    assert "clock" in text
    assert "apple" not in text.replace(str(apples), "")
    assert service.answered == {"apple": 1, "clock": 1}
    assert label(clocks, *options).stderr.startswith("1 photo: 0 in ")


def test_the_same_folder_by_another_path_is_the_same(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    (tmp_path / "link").symlink_to("photos")
    options = ("--url", service.url, "--out", tmp_path / "labels.jsonl")
    label(tmp_path / "photos", *options)
    for other in (os.path.relpath(tmp_path / "photos", Path.cwd()), tmp_path / "link", f"{tmp_path}/photos/"):
        ended = label(other, *options)
        assert ended.returncode == 0, ended.stderr
    assert set(service.answered.values()) == {1}


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (["--labels", "cat,dog"], "--labels not given, cat,dog here"),
        (["--vocabulary", "everyday"], "--vocabulary not given, everyday here"),
        (["--top-k", "2", "--template", "{}"], "--template not given, {} here; --top-k not given, 2 here"),
    ],
)
def test_other_options_are_not_ignored(
    service: FakeService, tmp_path: Path, options: list[str], difference: str
) -> None:
    write_photos(tmp_path / "photos", 3)
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl")
    label(*arguments)
    refused = label(*arguments, *options)
    assert refused.returncode == 2
    assert f"another run: {difference}. " in refused.stderr
    assert label(*arguments, *options, "--force").returncode == 0
    assert label(*arguments, *options).returncode == 0
    assert set(service.answered.values()) == {2}


def test_another_service_and_another_model(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    arguments = (tmp_path / "photos", "--out", tmp_path / "labels.jsonl", "--url")
    label(*arguments, service.url)
    with fake_service() as other:
        refused = label(*arguments, other.url)
    assert refused.returncode == 2
    assert f"the service {service.url}, {other.url} here" in refused.stderr

    service.describe = describes_itself_as("other/model")
    refused = label(*arguments, service.url)
    assert refused.returncode == 2
    assert "the model fake/photos, other/model here" in refused.stderr


def describes_itself_as(model: str) -> Any:
    def describe(request: BaseHTTPRequestHandler) -> bool:
        answer(request, 200, DESCRIPTION | {"model": model})
        return True

    return describe


def test_a_model_that_is_replaced_during_the_run_ends_it(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 100)
    service.seconds = 0.01
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl")

    def by_another(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        if service.answered.total() < 30:
            return False
        service.describe = describes_itself_as("other/model")
        said = {"predictions": [{"label": "wrong", "score": 1.0}], "recognized": True, "model": "other/model"}
        answer(request, 200, said)
        return True

    service.behave = by_another
    ended = label(*arguments)
    assert ended.returncode == 2
    assert "had the model fake/photos and has other/model: its results would be mixed." in ended.stderr
    written = results((tmp_path / "labels.jsonl").read_text())
    assert 30 <= len(written) < 100
    assert all(said["predictions"][0]["label"] == Path(file).stem for file, said in written.items())


def test_one_replica_with_another_model_costs_its_photos(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 9)

    def by_another(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        if photo == b"3":
            answer(request, 200, {"predictions": [{"label": "wrong", "score": 1.0}], "model": "other/model"})
        return photo == b"3"

    service.behave = by_another
    ended = label(tmp_path / "photos", "--url", service.url)
    assert ended.returncode == 1
    assert results(ended.stdout).keys() == {f"0/{n}.jpg" for n in range(9) if n != 3}
    assert "  1  left for the next run, other_model: 0/3.jpg\n" in ended.stderr


@pytest.mark.parametrize("name", ["labels.jsonl", "labels.csv"])
def test_a_file_that_has_changed_is_asked_again(service: FakeService, tmp_path: Path, name: str) -> None:
    photos = write_photos(tmp_path / "photos", 30)
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / name)
    label(*arguments)
    (tmp_path / name).chmod(0o640)
    (tmp_path / "photos" / "1" / "15.jpg").write_text("another")
    same_size = tmp_path / "photos" / "2" / "20.jpg"
    before = same_size.stat()
    same_size.write_text("xx")
    os.utime(same_size, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    (tmp_path / "photos" / "0" / "7.jpg").unlink()

    again = label(*arguments)

    assert again.returncode == 0
    assert again.stderr.startswith("30 photos: 2 in ")
    assert "  2  changed since an earlier run, and asked again\n" in again.stderr
    assert service.answered["another"] == service.answered["xx"] == 1
    assert service.answered.total() == 32
    text = (tmp_path / name).read_text()
    if name == "labels.csv":
        said = {row["file"]: row["label"] for row in csv.DictReader(text.splitlines())}
        assert len(text.splitlines()) == 31
    else:
        said = {file: one["predictions"][0]["label"] for file, one in results(text).items()}
    assert said == {file: Path(file).stem for file in photos} | {"1/15.jpg": "another", "2/20.jpg": "xx"}
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"photos", name}
    assert label(*arguments).stderr.startswith("30 photos: 0 in ")


def test_a_broken_file_that_was_mended_is_asked_again(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    arguments = (tmp_path, "--url", service.url, "--out", tmp_path / "labels.jsonl")
    assert label(*arguments).returncode == 1
    (tmp_path / "a.jpg").write_text("apple")
    assert label(*arguments).returncode == 0
    assert service.answered == {"apple": 1}


def test_a_link_to_the_output_stays_one(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "labels.jsonl").symlink_to("elsewhere/labels.jsonl")
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl")
    label(*arguments)
    (tmp_path / "photos" / "0" / "1.jpg").write_text("another")
    assert label(*arguments).returncode == 0
    assert (tmp_path / "labels.jsonl").is_symlink()
    assert len(results((tmp_path / "elsewhere" / "labels.jsonl").read_text())) == 3


def test_stdout_cannot_have_a_line_replaced(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)
    out = tmp_path / "labels.jsonl"
    for change in ("", "another"):
        (tmp_path / "photos" / "0" / "1.jpg").write_text(change or "1")
        with out.open("a") as file:
            ended = label(tmp_path / "photos", "--url", service.url, stdout=file)
    assert ended.returncode == 2
    assert "0/1.jpg has changed since its result was written to stdout. With --out FILE " in ended.stderr
    assert label(tmp_path / "photos", "--url", service.url, "--out", out).returncode == 0
    assert results(out.read_text())["0/1.jpg"]["predictions"][0]["label"] == "another"


def test_a_password_in_the_address_is_not_written(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 1)
    url = service.url.replace("127.0.0.1", "me:secret@127.0.0.1")
    said = label(tmp_path / "photos", "--url", url).stdout
    assert json.loads(said.splitlines()[0])["run"]["service"] == service.url
    assert "secret" not in said


def test_a_file_that_has_no_results_yet_takes_any_options(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 3)

    def refuse(request: BaseHTTPRequestHandler, _photo: bytes) -> bool:
        answer(request, 400, {"error": {"code": "bad_parameter", "message": "template needs {}."}})
        return True

    service.behave = refuse
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.jsonl", "--template")
    assert label(*arguments, "a photo").returncode == 2
    service.behave = lambda _request, _photo: False
    assert label(*arguments, "a photo of {}").returncode == 0


EDITS = {
    "no list": (b'"predictions": [', b'"predictions": 7, "x": ['),
    "an error that is a text": (b'"predictions"', b'"error": "x", "predictions"'),
    "an error without a code": (b'"predictions"', b'"error": {}, "x"'),
    "a label that is a number": (b'"label": "1"', b'"label": 1'),
    "a file that is a number": (b'"file": "0/1.jpg"', b'"file": 1'),
    "no size": (b'"bytes"', b'"b"'),
    "brackets": (b'{"file": "0/1.jpg"', b"[" * 100_000),
    "not UTF-8": (b"0/1.jpg", b"\xff"),
    "an empty line": (b'{"file": "0/1.jpg"', b'\n{"file": "0/1.jpg"'),
    "a line without end": (b'{"file": "0/1.jpg"', b'{"file": "' + b"a" * 6_000_000),
    "a list": (b'{"file": "0/1.jpg"', b'[]\n{"file": "0/1.jpg"'),
    "another header": (b'{"run": {', b'{"run": {"x": 1, '),
    "options that are a list": (b'"options": {}', b'"options": []'),
    "Excel's mark": (b'{"run": {', b'\xef\xbb\xbf{"run": {'),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_file_is_refused_in_a_sentence(service: FakeService, tmp_path: Path, edit: str) -> None:
    write_photos(tmp_path / "photos", 3)
    out = tmp_path / "labels.jsonl"
    arguments = (tmp_path / "photos", "--url", service.url, "--out", out)
    label(*arguments)
    old, new = EDITS[edit]
    assert out.read_bytes().count(old) in (1, 3)
    out.write_bytes(out.read_bytes().replace(old, new))
    edited = out.read_bytes()
    for force in ([], ["--force"]) if edit in ("another header", "options that are a list", "Excel's mark") else ([],):
        ended = label(*arguments, *force)
        assert ended.returncode == 2
        assert "contains something else than results" in ended.stderr
        assert out.read_bytes() == edited


CSV_EDITS = {
    "a quote": (b"0/1.jpg", b'"0/1.jpg'),
    "a quote within": (b"0/1.jpg", b'0"/"1".jpg'),
    "a score that is a text": (b"1.0", b"high"),
    "a size that is a text": (b",1,20", b",large,20"),
    "a column more": (b"0/1.jpg", b"0/1.jpg,x"),
    "semicolons": (b",", b";"),
    "a zero": (b"0/1.jpg", b"0/1.jpg\0"),
}


@pytest.mark.parametrize("edit", CSV_EDITS)
def test_an_edited_table_is_refused_in_a_sentence(service: FakeService, tmp_path: Path, edit: str) -> None:
    write_photos(tmp_path / "photos", 3)
    out = tmp_path / "labels.csv"
    arguments = (tmp_path / "photos", "--url", service.url, "--out", out)
    label(*arguments)
    old, new = CSV_EDITS[edit]
    edited = out.read_bytes().replace(old, new)
    assert edited != out.read_bytes()
    out.write_bytes(edited)
    ended = label(*arguments)
    assert ended.returncode in (0, 2), ended.stderr
    if ended.returncode == 2:
        assert "contains something else than results" in ended.stderr
        assert out.read_bytes() == edited


def test_lines_that_stand_there_twice_are_one(service: FakeService, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 3)
    out = tmp_path / "labels.jsonl"
    arguments = (tmp_path / "photos", "--url", service.url, "--out", out)
    label(*arguments)
    first, *lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join([first, *lines, *lines]))
    assert label(*arguments).stderr.startswith("3 photos: 0 in ")
    assert results(out.read_text()).keys() == photos


def test_names_that_no_file_can_have_do_no_harm(service: FakeService, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 3)
    out = tmp_path / "labels.jsonl"
    arguments = (tmp_path / "photos", "--url", service.url, "--out", out)
    label(*arguments)
    for name in ("a\\u0000b", "a" * 5000, "../" * 50 + "nowhere"):
        out.write_bytes(out.read_bytes().replace(b"0/1.jpg", name.encode()))
        assert label(*arguments).returncode == 0
        lines = out.read_text().splitlines()
        assert len(lines) == 5
        out.write_text("\n".join(line for line in lines if name not in line) + "\n")
    assert results(out.read_text()).keys() == photos
