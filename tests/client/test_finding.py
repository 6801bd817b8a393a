"""``photo-labels index``, ``find`` and ``duplicates``: through the command line."""

import base64
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photo_labels.terminal import write
from tests.client.command import ENVIRONMENT, label, start
from tests.client.fake_service import DESCRIPTION, FakeService, answer
from tests.client.photos import picture, write_photos
from tests.launch import PROJECT, Running, wait_for


def said(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def rows(index: Path, query: str = "SELECT file FROM photos") -> list[tuple[Any, ...]]:
    file = sqlite3.connect(index)
    try:
        return file.execute(query).fetchall()
    finally:
        file.close()


@cache
def preview(number: int) -> str:
    file = io.BytesIO()
    picture(number).save(file, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def embedding(number: int) -> str:
    """Another one for each number below 300."""
    row = np.zeros(8, "<f4")
    row[:2] = np.cos(number * np.pi / 300), np.sin(number * np.pi / 300)
    return base64.b64encode(row.tobytes()).decode()


@pytest.fixture
def open_service(service: FakeService) -> FakeService:
    """Answers photos of ``write_photos`` with previews; a text that is a number has the embedding of that photo."""

    shown: dict[str, int] = {}

    def behave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        if "/v1/embeddings" not in request.path:
            time.sleep(service.seconds)
            text = body.decode()
            service.answered[text] += 1
            shown[preview(int(text))] = int(text)
            told = {"predictions": [{"label": text, "score": 1.0}], "recognized": False, "preview": preview(int(text))}
            answer(request, 200, told)
            return True
        inputs = json.loads(body)["input"]
        assert len(inputs) <= 64
        numbers = [shown[each] if each.startswith("data:") else int(each) for each in inputs]
        data = [{"index": n, "embedding": embedding(number)} for n, number in enumerate(numbers)]
        answer(request, 200, {"data": data})
        return True

    def describe(request: BaseHTTPRequestHandler) -> bool:
        answer(request, 200, DESCRIPTION | {"vocabulary": "open"})
        return True

    service.behave, service.describe = behave, describe
    return service


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos, three copies of one of them, one photo of what the model knows, and what is not a photo."""
    folder = tmp_path_factory.mktemp("album")
    for seed in range(6):
        picture(seed).save(folder / f"{seed}.jpg", quality=95)
    one = picture(3)
    (folder / "copies").mkdir()
    one.resize((200, 150)).save(folder / "copies" / "resized.jpg")
    one.save(os.fsencode(folder) + b"/copies/recompressed \xff.jpg", quality=40)
    one.crop((8, 6, 310, 232)).save(folder / "copies" / "cropped.png")
    shutil.copy(PROJECT / "docs" / "photos" / "coffee.jpg", folder)
    (folder / "text.jpg").write_text("This is not a photo.")
    return folder


def test_copies_are_found_and_nothing_else(application: Running, album: Path, tmp_path: Path) -> None:
    index = tmp_path / "photos.sqlite"
    arguments = ("duplicates", album, "--index", index, "--url", f"{application.url}/function/clip")
    ended = label(*arguments)
    assert ended.returncode == 1  # for text.jpg
    assert said(ended.stdout) == [
        {"files": ["3.jpg", "copies/cropped.png", "copies/recompressed \udcff.jpg", "copies/resized.jpg"]}
    ]
    assert "text.jpg (unsupported_image)" in ended.stderr
    again = label(*arguments)
    assert (again.returncode, again.stdout) == (0, ended.stdout)
    assert "0 photos were added" in again.stderr


@pytest.mark.parametrize("text", ["a cup of espresso", "Espresso", "エスプレッソ"])
def test_a_closed_model_finds_by_its_words_in_any_language(
    application: Running, album: Path, tmp_path: Path, text: str
) -> None:
    arguments = ("--index", tmp_path / "photos.sqlite", "--url", f"{application.url}/function/clip")
    label("index", album, *arguments)
    first, *_ = said(label("find", text, *arguments).stdout)
    assert first["path"] == str(album / "coffee.jpg")
    unknown = label("find", "flurb", *arguments)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "does not know: flurb" in unknown.stderr


def test_an_open_model_finds_by_embeddings(open_service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 8)
    arguments = ("--index", tmp_path / "photos.sqlite", "--url", open_service.url)
    assert label("index", tmp_path / "photos", *arguments).returncode == 0
    for number in (2, 5):
        found = said(label("find", str(number), *arguments, "--count", "3").stdout)
        assert len(found) == 3
        assert (found[0]["file"], found[0]["score"]) == (f"0/{number}.jpg", 1.0)


MORTAL = """
import resource, signal, sys
from photo_labels.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""
"""The client, ended by the system within the write by which a file would become larger than so many bytes."""


def test_after_a_sudden_end_nothing_is_lost_or_doubled(open_service: FakeService, tmp_path: Path) -> None:
    photos, index = write_photos(tmp_path / "photos", 300), tmp_path / "photos.sqlite"
    journal = tmp_path / "photos.sqlite-journal"
    arguments = ("index", tmp_path / "photos", "--index", index, "--url", open_service.url)
    seen = 0
    # While the tables are made, within the first photos, and within later ones.
    for most in (100, 300_000, 560_001, 620_000):
        command = [sys.executable, "-B", "-c", MORTAL, str(most), *map(str, arguments)]
        ended = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
        assert ended.returncode == -signal.SIGXFSZ, ended.stderr
        assert journal.stat().st_size > 0
        seen = whole(index, photos, seen)
    assert 64 <= seen < 300
    open_service.seconds = 0.02
    with start(*arguments) as process:
        before = open_service.answered.total()
        wait_for(lambda: open_service.answered.total() >= before + 70, "no requests")
        process.kill()
    seen = whole(index, photos, seen + 1)
    open_service.seconds = 0
    again = open_service.answered.total() + 300 - seen
    assert label(*arguments).returncode == 0
    # What was written is not asked again; what was in flight when it was killed may have been counted since.
    assert again <= open_service.answered.total() <= again + 16
    assert whole(index, photos, 300) == 300
    for number in (64, 299):
        found = said(label("find", str(number), *arguments[2:], "--count", "2").stdout)
        assert [Path(str(each["file"])).name for each in found][:1] == [f"{number}.jpg"]
        assert [each["score"] == 1 for each in found] == [True, False]


def whole(index: Path, photos: set[str], at_least: int) -> int:
    """How many photos are in an index of which some process has written a part."""
    if not rows(index, "SELECT 1 FROM sqlite_master"):
        return 0
    assert rows(index, "PRAGMA integrity_check") == [("ok",)]
    files = [os.fsdecode(file) for (file,) in rows(index)]
    assert len(files) == len(set(files)) >= at_least
    assert set(files) <= photos
    places = rows(index, "SELECT block, row FROM photos ORDER BY block, row")
    assert places == [(block, row) for block, size in rows(index, "SELECT id, size FROM blocks") for row in range(size)]
    return len(files)


def test_changed_files_are_asked_again_and_those_that_are_gone_forgotten(
    open_service: FakeService, tmp_path: Path
) -> None:
    write_photos(tmp_path / "photos", 4)
    index = tmp_path / "photos.sqlite"
    arguments = ("index", tmp_path / "photos", "--index", index, "--url", open_service.url)
    assert label(*arguments).returncode == 0
    (tmp_path / "photos" / "0" / "1.jpg").write_text("7")
    (tmp_path / "photos" / "0" / "2.jpg").unlink()
    open_service.answered.clear()
    assert label(*arguments).returncode == 0
    assert dict(open_service.answered) == {"7": 1}
    assert sorted(rows(index)) == [(b"0/0.jpg",), (b"0/1.jpg",), (b"0/3.jpg",)]
    for number, first in ((7, "0/1.jpg"), (2, "0/3.jpg"), (1, "0/0.jpg")):
        found = said(label("find", str(number), *arguments[2:]).stdout)
        assert found[0]["file"] == first
        assert len(found) == 3


def test_a_folder_whose_disk_is_away_is_not_forgotten(open_service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    index = tmp_path / "photos.sqlite"
    arguments = ("index", tmp_path / "photos", "--index", index, "--url", open_service.url)
    label(*arguments)
    (tmp_path / "photos").rename(tmp_path / "disk")
    (tmp_path / "photos").mkdir()
    ended = label(*arguments)
    assert (ended.returncode, "has no photos, so the index keeps" in ended.stderr) == (1, True)
    assert len(rows(index)) == 2
    assert label(*arguments, "--force").returncode == 0
    assert rows(index) == []


def test_a_reader_of_results_that_has_ended_gets_a_message(open_service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    arguments = ("--index", tmp_path / "photos.sqlite", "--url", open_service.url)
    label("index", tmp_path / "photos", *arguments)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        ended = label("find", "1", *arguments, stdout=pipe)
    assert (ended.returncode, ended.stderr) == (2, "stdout cannot be written to: Broken pipe.\n")


def test_a_terminal_that_lacks_characters_gets_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="latin-1"))
    write("Käfer/日本.jpg")
    assert shown.getvalue().decode("latin-1") == "Käfer/??.jpg\n"


def test_another_model_or_folder_is_refused_by_name(open_service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    write_photos(tmp_path / "others", 3)
    arguments = ("--index", tmp_path / "photos.sqlite", "--url", open_service.url)
    assert label("index", tmp_path / "photos", *arguments).returncode == 0
    other = label("index", tmp_path / "others", *arguments)
    assert other.returncode == 2
    assert f"the folder {tmp_path / 'photos'}, {tmp_path / 'others'} here" in other.stderr

    def describe(request: BaseHTTPRequestHandler) -> bool:
        answer(request, 200, DESCRIPTION | {"vocabulary": "open", "model": "other/model"})
        return True

    open_service.describe = describe
    for command in (("index", tmp_path / "photos"), ("find", "1")):
        refused = label(*command, *arguments)
        assert refused.returncode == 2
        assert "fake/photos" in refused.stderr
        assert "other/model" in refused.stderr
    assert len(rows(tmp_path / "photos.sqlite")) == 2
    assert label("index", tmp_path / "others", *arguments, "--force").returncode == 0
    assert len(rows(tmp_path / "photos.sqlite")) == 3


def unit(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()


def test_embeddings_that_are_none_cost_their_photos_only(open_service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 9)
    as_usual = open_service.behave
    said_instead: list[object] = [unit(0, 1), "AAAA", "AAAAAA==", 7, None, unit(1), unit(np.nan, 1), unit(1, 0), "="]
    data = [{"embedding": each} for each in said_instead]

    def behave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        if "/v1/embeddings" not in request.path:
            return as_usual(request, body)
        answer(request, 200, {"data": data if len(json.loads(body)["input"]) == 9 else [{"embedding": unit(1, 0, 0)}]})
        return True

    open_service.behave = behave
    arguments = ("--index", tmp_path / "photos.sqlite", "--url", open_service.url)
    ended = label("index", tmp_path / "photos", *arguments)
    assert ended.returncode == 1
    assert "2 photos were added" in ended.stderr
    assert re.search(r"7 were left for the next run: 0/\d\.jpg \(The answer has no embedding of it", ended.stderr)
    assert len(rows(tmp_path / "photos.sqlite")) == 2
    # Another number of dimensions than those that are there.
    refused = label("find", "7", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no embedding that fits" in refused.stderr


def test_a_list_of_embeddings_that_is_none_costs_its_photos(open_service: FakeService, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 2)
    as_usual = open_service.behave

    def behave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        if "/v1/embeddings" not in request.path:
            return as_usual(request, body)
        answer(request, 200, {"data": [{"embedding": unit(1, 0)}]})
        return True

    open_service.behave = behave
    ended = label("index", tmp_path / "photos", "--index", tmp_path / "photos.sqlite", "--url", open_service.url)
    assert ended.returncode == 1
    assert re.search(r"2 were left for the next run: 0/\d\.jpg \(The answer has other embeddings", ended.stderr)


@pytest.mark.parametrize("content", [b"This is not an index.", b""])
def test_files_that_are_no_index(tmp_path: Path, content: bytes) -> None:
    index = tmp_path / "photos.sqlite"
    if content:
        index.write_bytes(content)
    else:
        with sqlite3.connect(index) as other:
            other.execute("CREATE TABLE mine (id)")
        other.close()
    before = index.read_bytes()
    ended = label("find", "dog", "--index", index)
    assert ended.returncode == 2
    assert "Choose another file." in ended.stderr
    assert index.read_bytes() == before
    assert "makes it" in label("find", "dog", "--index", tmp_path / "nowhere").stderr
