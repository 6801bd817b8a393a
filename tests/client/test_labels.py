"""``photo-labels`` with the real service: what it finds in a folder, and what it writes."""

import csv
import os
import socket
from contextlib import closing
from pathlib import Path

import pytest
import requests
from pillow_heif import from_pillow

from tests.client.command import ENVIRONMENT, label, on_a_terminal, results
from tests.client.fake_service import FakeService
from tests.client.photos import picture, write_photos
from tests.formulas import CASES
from tests.launch import Running


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as people have them: photos, and other things."""
    folder = tmp_path_factory.mktemp("album")
    (folder / "2025" / "août").mkdir(parents=True)
    picture(1).save(folder / "a.jpg")
    picture(2).save(folder / "2025" / 'with, "quotes"\nand a line break.PNG', "PNG")
    from_pillow(picture(3)).save(folder / "2025" / "août" / "IMG_1.HEIC")
    picture(4).save(os.fsencode(folder) + b"/not UTF-8 \xff\xe9.webp")
    (folder / "truncated.jpg").write_bytes((folder / "a.jpg").read_bytes()[:300])
    (folder / "text.jpg").write_text("This is not a photo.")
    (folder / "empty.gif").touch()
    with (folder / "large.tif").open("wb") as file:
        file.truncate(30_000_000)
    (folder / "notes.txt").touch()
    (folder / "._a.jpg").touch()
    (folder / ".thumbnails").mkdir()
    picture(5).save(folder / ".thumbnails" / "a.jpg")
    (folder / "link.jpg").symlink_to("a.jpg")
    (folder / "loop").symlink_to(folder)
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(os.path.relpath(folder / "socket.jpg"))
    return folder


PHOTOS = {
    "a.jpg",
    '2025/with, "quotes"\nand a line break.PNG',
    "2025/août/IMG_1.HEIC",
    "not UTF-8 \udcff\udce9.webp",
}
FAILED = {
    "truncated.jpg": "corrupt_image",
    "text.jpg": "unsupported_image",
    "empty.gif": "empty_body",
    "large.tif": "body_too_large",
}


def test_each_photo_has_the_answer_of_the_service(application: Running, album: Path) -> None:
    url = f"{application.url}/function/clip"
    ended = label(album, "--url", url)
    said = results(ended.stdout)
    assert {file: answer["error"]["code"] for file, answer in said.items() if "error" in answer} == FAILED
    assert said.keys() - FAILED.keys() == PHOTOS
    for file in PHOTOS:
        assert said[file] == requests.post(url, (album / file).read_bytes()).json()
    assert said["text.jpg"] == requests.post(url, (album / "text.jpg").read_bytes()).json()
    assert ended.returncode == 1
    assert ended.stderr.startswith("8 photos: 8 in ")
    for code in FAILED.values():
        assert f"  1  failed, {code}: " in ended.stderr
    assert "Left out: 2 hidden, 2 not named like a photo, 2 symbolic links." in ended.stderr


def test_what_is_too_large_or_empty_is_not_sent(application: Running, album: Path) -> None:
    before = application.output().count('"method": "POST"')
    label(album, "--url", f"{application.url}/function/clip")
    assert application.output().count('"method": "POST"') - before <= len(PHOTOS) + 2


def test_the_choice_of_labels_is_passed_on(application: Running, album: Path) -> None:
    url = f"{application.url}/function/clip"
    own = results(label(album, "--url", url, "--labels", "cat,dog", "--top-k", "1").stdout)["a.jpg"]
    assert own == requests.post(f"{url}?labels=cat,dog&top_k=1", (album / "a.jpg").read_bytes()).json()
    everyday = results(label(album, "--url", url, "--vocabulary", "everyday").stdout)["a.jpg"]
    assert everyday == requests.post(f"{url}?vocabulary=everyday", (album / "a.jpg").read_bytes()).json()


def test_csv(application: Running, album: Path, tmp_path: Path) -> None:
    url = f"{application.url}/function/clip"
    label(album, "--url", url, "--out", tmp_path / "labels.csv", "--top-k", "3")
    with (tmp_path / "labels.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert rows.keys() == PHOTOS | FAILED.keys()
    for photo in PHOTOS:
        said = requests.post(f"{url}?top_k=3", (album / photo).read_bytes()).json()
        labels = [(rows[photo][f"label{n}"], float(rows[photo][f"score{n}"])) for n in ("", "_2", "_3")]
        assert labels == [(each["label"], each["score"]) for each in said["predictions"]]
        assert float(rows[photo]["confidence"]) == said["confidence"]
        assert rows[photo]["recognized"] == ("true" if said["recognized"] else "false")
        assert rows[photo]["instead"] == said.get("instead", {}).get("label", "")
    for broken, code in FAILED.items():
        assert rows[broken] == dict.fromkeys(rows[broken], "") | {
            "file": broken,
            "error": code,
            "bytes": str((album / broken).stat().st_size),
            "modified": rows[broken]["modified"],
        }
    written = (tmp_path / "labels.csv").read_bytes()
    again = label(album, "--url", url, "--out", tmp_path / "labels.csv", "--top-k", "3")
    assert again.stderr.startswith("8 photos: 0 in 0.")
    assert (tmp_path / "labels.csv").read_bytes() == written
    other = label(album, "--url", url, "--out", tmp_path / "labels.csv")
    assert other.returncode == 2
    assert (
        "labels.csv has results of another run: --top-k 3, 1 here. Choose another file, or add --force" in other.stderr
    )
    assert (tmp_path / "labels.csv").read_bytes() == written


def test_no_cell_is_a_formula(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in CASES:
        (tmp_path / "photos" / name).write_text(name.translate(dict.fromkeys(map(ord, "\t\r\n"))))  # and this its label
    arguments = (tmp_path / "photos", "--url", service.url, "--out", tmp_path / "labels.csv")
    assert label(*arguments).returncode == 0
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == set(CASES.values())
    assert {row["label"] for row in rows} >= {"'=1.jpg", "'+1.jpg", "'\uff201.jpg", "a;'=1.jpg"}
    written = (tmp_path / "labels.csv").read_bytes()
    again = label(*arguments)
    assert again.stderr.startswith(f"{len(CASES)} photos: 0 in 0.")
    assert (tmp_path / "labels.csv").read_bytes() == written
    assert service.answered.total() == len(CASES)


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("/function/clip", ["--labels", "cat,flamnigo"], "does not know: flamnigo (near: flamingo)"),
        ("/function/clip", ["--labels", "cat", "--vocabulary", "everyday"], "without labels"),
        ("/function/clip", ["--template", "a {} of {}"], "template"),
        ("/function/index", [], "/function/index is not the function clip."),
        ("/", [], "leads to /function/index."),
        ("/function/nobody", [], "There is no function nobody, only index, clip."),
    ],
)
def test_what_would_go_wrong_with_every_photo_ends_it(
    application: Running, album: Path, path: str, options: list[str], message: str
) -> None:
    ended = label(album, "--url", application.url + path, *options)
    assert ended.returncode == 2
    assert not any("predictions" in answer for answer in results(ended.stdout).values())
    assert message in ended.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["/nowhere"],
        [__file__],
        [".", "--url", "127.0.0.1:8080"],
        [".", "--url", "ftp://127.0.0.1"],
        [".", "--url", "http://127.0.0.1:99999"],
        [".", "--url", "http://[::1"],
        [".", "--top-k", "0"],
        [".", "--top-k", "²"],
        [".", "--key-file", "/nowhere"],
        [".", "--out", "/nowhere/labels.jsonl"],
        [".", "--out", "."],
        ["~nobody-of-this-name"],
    ],
)
def test_options_that_make_no_sense(options: list[str]) -> None:
    ended = label(*options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert options[-1] in ended.stderr


def test_home_is_found_where_the_shell_leaves_it_to_the_program(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 1)
    options = ("--out=~/labels.jsonl", "--sort-into=~/sorted", "--url", service.url)
    environment = ENVIRONMENT | {"HOME": str(tmp_path)}
    assert label("~/photos", *options, environment=environment).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "labels.jsonl", "sorted"}


def test_a_terminal_sees_how_far_it_is(service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 60)
    service.seconds = 0.02
    seen, written = on_a_terminal("stderr", tmp_path / "photos", "--url", service.url)
    assert len(results(written)) == 60
    assert "60/60 photos, " in seen
    assert " at a time [" in seen
