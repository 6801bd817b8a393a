"""Which word is used for a photo: how sure it has to be, and in which language."""

import csv
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree

from tests.client.command import label
from tests.client.fake_service import FakeService, answer
from tests.launch import PROJECT, Running

COFFEE = PROJECT / "docs" / "photos" / "coffee.jpg"
SUBJECTS = "//rdf:li[ancestor::dc:subject]/text()"
NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def says(label: str, confidence: float, recognized: bool, **more: Any) -> dict[str, Any]:
    return {
        "predictions": [{"label": label, "score": 0.5}, {"label": "worm", "score": 0.2}],
        "confidence": confidence,
        "recognized": recognized,
        **more,
    }


DOG = {"label": "dog", "confidence": 0.9, "path": ["animal", "mammal"]}
CAT = {"label": "cat", "confidence": 0.6, "path": ["animal", "mammal"]}
# By what is in the file of a photo.
SAID = {
    "sure": says("apple", 0.95, True),
    "fair": says("pear", 0.7, True),
    "instead": says("worm", 0.1, False, instead={"label": "dog", "confidence": 0.9}),
    "fair instead": says("worm", 0.1, False, instead={"label": "cat", "confidence": 0.6}),
    "nothing": says("worm", 0.1, False),
    "tags": says("pear", 0.7, True, tags=[CAT, DOG]),
}


@pytest.fixture
def album(service: FakeService, tmp_path: Path) -> Path:
    """A photo for each answer, named by it."""

    def behave(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        answer(request, 200, SAID[photo.decode()])
        return True

    service.behave = behave
    (tmp_path / "album").mkdir()
    for name in SAID:
        (tmp_path / "album" / f"{name}.jpg").write_text(name)
    return tmp_path / "album"


def words_of(folder: Path, service: FakeService, out: Path, *options: str) -> dict[str, str]:
    """The word of each photo, by its file without the ending; "" for none."""
    assert label(folder, "--url", service.url, "--out", out, *options).returncode == 0
    if out.suffix == ".csv":
        with out.open(encoding="utf-8", newline="") as file:
            return {Path(row["file"]).stem: row["word"] for row in csv.DictReader(file)}
    said = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    return {Path(each["file"]).stem: each["word"] or "" for each in said}


@pytest.mark.parametrize("name", ["labels.jsonl", "labels.csv"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["apple", "pear", "dog", "cat", "", "pear"]),
        (["--min-confidence", "0.8"], ["apple", "", "dog", "", "", "dog"]),
        (["--min-confidence", "1"], ["", "", "", "", "", ""]),
        (["--min-confidence", "0.05"], ["apple", "pear", "dog", "cat", "", "pear"]),  # the service's threshold holds
    ],
)
def test_the_word_is_the_label_or_the_word_instead_if_it_is_sure_enough(
    album: Path, service: FakeService, tmp_path: Path, name: str, options: list[str], words: list[str]
) -> None:
    assert words_of(album, service, tmp_path / name, *options) == dict(zip(SAID, words, strict=True))


@pytest.mark.parametrize("options", [[], ["--min-confidence", "0.8"]])
def test_it_is_among_the_keywords_and_there_are_none_without_it(
    album: Path, service: FakeService, tmp_path: Path, options: list[str]
) -> None:
    for photo, word in words_of(album, service, tmp_path / "labels.jsonl", "--xmp", *options).items():
        sidecar = album / f"{photo}.jpg.xmp"
        found = etree.parse(sidecar).xpath(SUBJECTS, namespaces=NAMESPACES) if sidecar.exists() else []
        assert (word in found) if word else (found == [])
        assert ("cat" in found) == (photo in ("fair instead", "tags") and not options)


def test_results_of_another_certainty_or_language_are_not_continued(
    album: Path, service: FakeService, tmp_path: Path
) -> None:
    out = tmp_path / "labels.csv"
    words_of(album, service, out, "--min-confidence", "0.8")
    for options, difference in (
        (["--min-confidence", "0.9"], "--min-confidence 0.8, 0.9 here"),
        (["--min-confidence", "0.8", "--lang", "de"], "in this format"),
    ):
        ended = label(album, "--url", service.url, "--out", out, *options)
        assert ended.returncode == 2
        assert difference in ended.stderr
    out = tmp_path / "labels.jsonl"
    words_of(album, service, out)
    ended = label(album, "--url", service.url, "--out", out, "--lang", "de")
    assert (ended.returncode, "--lang not given, de here" in ended.stderr) == (2, True)


@pytest.mark.parametrize("text", ["-0.1", "1.1", "nan", "80%"])
def test_what_is_no_probability_is_refused(text: str, tmp_path: Path) -> None:
    ended = label(tmp_path, f"--min-confidence={text}")
    assert (ended.returncode, "is not a number from 0 to 1" in ended.stderr) == (2, True)


def test_another_language(application: Running, tmp_path: Path) -> None:
    url = f"{application.url}/function/clip"
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "coffee.jpg").write_bytes(COFFEE.read_bytes())
    arguments = (tmp_path / "album", "--url", url, "--lang", "de", "--top-k", "2")
    said = requests.post(f"{url}?lang=de&top_k=2", COFFEE.read_bytes()).json()
    english = requests.post(f"{url}?top_k=2", COFFEE.read_bytes()).json()

    assert label(*arguments, "--out", tmp_path / "labels.jsonl").returncode == 0
    line = json.loads((tmp_path / "labels.jsonl").read_text().splitlines()[1])
    assert line["predictions"] == said["predictions"]
    assert line["word"] == said["predictions"][0]["label"] != english["predictions"][0]["label"]

    assert label(*arguments, "--out", tmp_path / "labels.csv").returncode == 0
    written = (tmp_path / "labels.csv").read_bytes()
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    for n, (one, other) in enumerate(zip(said["predictions"], english["predictions"], strict=True)):
        ending = f"_{n + 1}" if n else ""
        assert (row[f"label{ending}"], row[f"label_en{ending}"]) == (one["label"], other["label"])
    assert (row["word"], row["word_en"]) == (said["predictions"][0]["label"], english["predictions"][0]["label"])
    again = label(*arguments, "--out", tmp_path / "labels.csv")
    assert again.stderr.startswith("1 photo: 0 in 0.")
    assert (tmp_path / "labels.csv").read_bytes() == written

    ended = label(tmp_path / "album", "--url", url, "--lang", "tlh")
    assert ended.returncode == 2
    assert "zh-Hant" in ended.stderr  # among those that are known
