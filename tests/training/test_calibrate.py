"""The calibration of the bundled model on a few pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from backend.clip.export.calibration import log_odds
from backend.clip.manifest import Calibration
from backend.clip.recognition.recognizer import Recognizer
from training import calibrate
from training.answers import by_model

MODEL = Path("backend/clip/model")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["calibrate", *map(str, arguments)])
    return calibrate.main()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, size=(4, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "four.npz", images=images, labels=np.arange(4))
    return tmp_path / "four.npz"


def test_the_confidence_of_a_right_answer_rises_above_that_of_wrong_ones(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "DRAWN_PER_KIND", 1)
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(skimage.data.rocket()).save(folder / "rocket.png")  # type: ignore[no-untyped-call]
    Image.fromarray(skimage.data.brick()).convert("RGB").save(folder / "brick.png")  # type: ignore[no-untyped-call]
    (folder / "index.tsv").write_text(
        "file\tsource\twhat\tlabel\nrocket.png\tpublic\trocket\trocket\nbrick.png\tpublic\tbrick\t\n"
    )
    out = tmp_path / "calibration.json"

    assert run(monkeypatch, "--model", MODEL, "--data", data, "--photos", folder, "--out", out) == 0

    calibration = Calibration(**json.loads(out.read_text()))
    assert calibration.weights["share"] > 0
    brick = by_model(Recognizer(MODEL))((folder / "brick.png").read_bytes(), {})
    evidence = log_odds([brick.confidence], Recognizer(MODEL).manifest.confidence)[0]
    again = 1 / (1 + np.exp(-(calibration.weights["share"] * evidence + calibration.weights["bias"])))
    assert again == pytest.approx(calibration.threshold, abs=2e-3)  # the one photograph of another thing
    assert "2 photographs" in calibration.source


def test_missing_photographs_are_a_message(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--model", MODEL, "--data", data, "--photos", tmp_path / "nothing", "--out", tmp_path / "c.json")
    assert run(monkeypatch, *arguments) == 1
    assert "nothing: no such folder" in capsys.readouterr().err
