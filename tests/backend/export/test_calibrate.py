"""``python -m backend.clip.export.calibrate`` from pictures to a calibrated folder, on copies of the public sets."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from backend.clip.export import calibrate
from backend.clip.export.public_sets import read_sets
from backend.clip.manifest import UNCALIBRATED, Calibration, Manifest
from backend.clip.photos import image
from backend.clip.recognition.candidates import View
from backend.clip.recognition.recognizer import Recognizer
from tests.backend.export.public_copies import CALTECH, PER_CLASS, PETS, TEXTURES, accept_copy, write_sets
from tests.launch import PROJECT

PICTURES = 100 + PER_CLASS * (len(CALTECH) + len(PETS) + len(TEXTURES))


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_sets(tmp_path / "copies")
    accept_copy(folder, monkeypatch)
    return folder


@pytest.fixture
def model(tmp_path: Path, exported: dict[str, Path]) -> Path:
    """A model with random weights and an open vocabulary."""
    return Path(shutil.copytree(exported["vit"], tmp_path / "model"))


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pictures that went through an image tower."""
    counted: list[int] = []
    embed = Recognizer.embed

    def counting(self: Recognizer, pixels: np.ndarray, *arguments: object, **options: object) -> View:
        counted.append(1)
        return embed(self, pixels, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Recognizer, "embed", counting)
    return counted


def run(monkeypatch: pytest.MonkeyPatch, model: Path, data: Path) -> int:
    arguments = ["--model", model, "--data", data, "--cache", data.parent / "cache", "--no-download"]
    monkeypatch.setattr("sys.argv", ["calibrate", *map(str, arguments)])
    return calibrate.main()


def test_a_model_with_random_weights_says_honestly_that_it_knows_nothing(
    copies: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Manifest.read(model).confidence == UNCALIBRATED

    assert run(monkeypatch, model, copies) == 0

    said = capsys.readouterr()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said.out.splitlines()]
    assert rows[0] == ["", "pictures, fitted on and not", "fitted on", "not fitted on"]
    table = {row[0]: row[1:] for row in rows[2:]}
    assert table["it shows one of the hundred: the first label is right"][0] == "8 and 4, Caltech-101"
    assert table["it shows something else: recognized wrongly"][0] == "8 and 6, Caltech-101, Oxford pets"
    assert table["it shows something else: recognized wrongly"][1] == "0.0%"
    assert table["a texture: recognized"][0] == "4 and 4, DTD"
    assert table["small images: the first label is right"][0] == "50 and 50, CIFAR-100 test"
    manifest = Manifest.read(model)
    assert "CIFAR-100, Caltech-101, Oxford pets, textures (DTD)" in manifest.confidence.source
    assert manifest.confidence.negatives in ("words", "phrases")
    assert len(re.findall(r"^what competes: .*", said.err, re.MULTILINE)) == 4
    assert said.err.count(", taken") == 1
    assert Recognizer(model).manifest == manifest  # the folder is whole


@pytest.mark.parametrize("worth", [-1e9, 1.0])
def test_pairs_are_taken_where_they_are_worth_their_cost(
    worth: float,
    copies: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(calibrate, "WORTH", worth)
    assert run(monkeypatch, model, copies) == 0
    calibration = Manifest.read(model).confidence
    assert (
        "and together with them" in next(line for line in capsys.readouterr().err.splitlines() if "taken" in line)
    ) == (worth < 0)
    assert (calibration.together is not None) == (worth < 0)
    if calibration.together is not None:
        assert calibration.together.keys() == {"share", "bias", "together"}
    assert calibration.weights.keys() == {"share", "bias"}


def test_the_bundled_model_keeps_everything_but_its_calibration(
    copies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled = PROJECT / "backend" / "clip" / "model"
    copy = Path(shutil.copytree(bundled, tmp_path / "model"))

    assert run(monkeypatch, copy, copies) == 0

    before, after = (json.loads((folder / "model.json").read_text()) for folder in (bundled, copy))
    calibrated = Calibration.read(after.pop("confidence"))
    assert before.pop("confidence") != calibrated
    assert calibrated.coverage is not None
    assert calibrated.coverage.source.startswith("calibrated on 8 photographs of what the labels name, and 8 of other")
    assert before == after
    assert calibrated.negatives == "words"  # its words are sets of classes, and no phrase is one
    assert len(re.findall(r"^what competes: ", capsys.readouterr().err, re.MULTILINE)) == 1
    for path in bundled.iterdir():
        assert path.name == "model.json" or path.read_bytes() == (copy / path.name).read_bytes()


def test_nothing_is_fitted_on_the_pictures_that_figures_are_reported_of(
    tmp_path: Path, exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other pictures in the part that is not fitted on change nothing in the fit; others in the part that is, do."""
    sets = {
        "as they are": frozenset[str](),
        "not fitted on": frozenset({"butterfly", "cup", "anchor", "Bombay", "Siamese", "bumpy", "dotted"}),
        "fitted on": frozenset({"beaver", "accordion", "banded"}),
    }
    losses = {}
    for name, changed in sets.items():
        copies = write_sets(tmp_path / name, changed=changed)
        accept_copy(copies, monkeypatch)
        recognizer = Recognizer(exported["vit"])
        found = calibrate.calibrate(recognizer, read_sets(copies, download=False), tmp_path / "cache")
        parts = {o.picture.shows.partition(",")[0]: o.picture.part for o in found.outcomes}
        assert {parts[each] for each in changed} <= {"fit" if name == "fitted on" else "report"}
        confidences = [
            choice.confidences[[o.picture.part == "fit" for o in found.outcomes]].tolist() for choice in found.choices
        ]
        losses[name] = found.calibration, [(choice.fit, choice.loss) for choice in found.choices], confidences
    assert losses["not fitted on"] == losses["as they are"]
    assert losses["fitted on"] != losses["as they are"]


def test_a_calibration_that_was_stopped_goes_on(
    copies: Path,
    model: Path,
    embedded: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("backend.clip.export.views._IN_A_FILE", 20)
    fitting = image.fit
    read: list[int] = []

    def stopped(*arguments: object) -> object:
        read.append(1)
        if len(read) == 50:
            raise KeyboardInterrupt
        return fitting(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(image, "fit", stopped)
    assert run(monkeypatch, model, copies) == 130
    assert "stopped; the same command goes on from here" in capsys.readouterr().err
    assert Manifest.read(model).confidence == UNCALIBRATED
    assert len(embedded) == 40 + 1  # one when the model is loaded
    embedded.clear()
    read.extend([1] * 100)

    assert run(monkeypatch, model, copies) == 0
    assert len(embedded) == PICTURES - 40 + 1
    first = Manifest.read(model)
    embedded.clear()

    assert run(monkeypatch, model, copies) == 0  # a calibrated model is calibrated anew, with the same result
    assert len(embedded) == 1
    assert Manifest.read(model) == first


def test_a_cache_that_is_damaged_is_made_again(
    copies: Path, model: Path, embedded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, model, copies) == 0
    first = Manifest.read(model)
    [cached] = (copies.parent / "cache").rglob("*.npz")
    cached.write_bytes(cached.read_bytes()[:1000])
    embedded.clear()

    assert run(monkeypatch, model, copies) == 0
    assert len(embedded) == PICTURES + 1
    assert Manifest.read(model) == first


def test_another_model_is_asked_anew(
    copies: Path, model: Path, exported: dict[str, Path], embedded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, model, copies) == 0
    other = Path(shutil.copytree(exported["vit-quickgelu"], model.with_name("other")))
    embedded.clear()
    assert run(monkeypatch, other, copies) == 0
    assert len(embedded) == PICTURES + 1


def test_errors_are_one_line(
    copies: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> str:
        err = capsys.readouterr().err
        assert "Traceback" not in err
        return err

    assert run(monkeypatch, tmp_path / "nothing", copies) == 1
    assert "nothing" in said()
    picture = copies / "caltech101" / "101_ObjectCategories" / "cup" / "image_0001.jpg"
    picture.write_bytes(picture.read_bytes()[:300])
    assert run(monkeypatch, model, copies) == 1
    assert "A picture of Caltech-101 (cup) cannot be read" in said()
    for name in ("beaver", "butterfly", "chair", "cup", "lamp", "windsor_chair"):
        shutil.rmtree(copies / "caltech101" / "101_ObjectCategories" / name)
    assert run(monkeypatch, model, copies) == 1
    assert "too few pictures for a calibration: named photographs are needed" in said()
    shutil.rmtree(copies / "dtd")
    assert run(monkeypatch, model, copies) == 1
    assert "  dtd: textures (DTD), https://" in said()
    assert Manifest.read(model).confidence == UNCALIBRATED
