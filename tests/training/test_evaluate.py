"""The table of figures, against a function whose answers are known, and the command line's errors."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.clip.labels import LABELS
from training import evaluate

MODEL = Path("backend/clip/model")


class Clip(BaseHTTPRequestHandler):
    """Answers as `clip` does: 0.802 for the label whose number is the image's red, recognized where there is green."""

    def do_POST(self) -> None:
        with Image.open(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"])))) as image:
            red, green, _ = image.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
        first = LABELS[min(red, 99)]
        others = [{"label": label, "score": 0.002} for label in LABELS if label != first]
        answer = {"predictions": [{"label": first, "score": 0.802}, *others], "recognized": green > 127}
        body = json.dumps(answer if self.path.startswith("/function/clip?top_k=100") else {"error": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Clip) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/function/clip"
        server.shutdown()


def plain(red: int, green: int) -> np.ndarray:
    return np.full((32, 32, 3), (red, green, 0), dtype=np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    images = np.stack([plain(0, 255), plain(5, 255), plain(9, 0), plain(9, 255)])
    np.savez(tmp_path / "four.npz", images=images, labels=np.array([0, 5, 9, 8]))
    return tmp_path / "four.npz"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(plain(1, 0)).save(folder / "aquarium_fish__goldfish.png")
    Image.fromarray(plain(50, 255)).save(folder / "apple__red.png")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["evaluate", *map(str, arguments)])
    return evaluate.main()


def test_the_table_against_answers_that_are_known(
    url: str,
    data: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    diagram = tmp_path / "reliability.svg"
    arguments = ("--model", MODEL, "--data", data, "--photos", photos, "--url", url, "--diagram", diagram)
    assert run(monkeypatch, *arguments) == 0
    rows = [line.strip("| ").rsplit("|", 1) for line in capsys.readouterr().out.splitlines()]
    figures = {name.strip(): float(value) for name, value in rows}
    assert figures["CIFAR-100, all of the file, top-1 (4 images)"] == 0.75
    assert figures["photographs, top-1 (2 images)"] == 0.5
    assert figures["photographs, top-5"] == 1.0  # the apple is the first of the labels that tie
    assert figures["expected calibration error, CIFAR-100, all of the file"] == 0.052
    assert figures["recognized, CIFAR-100, all of the file"] == 0.75
    assert figures["recognized, photographs"] == 0.5
    size = sum(path.stat().st_size for path in MODEL.rglob("*")) / 1e6
    assert figures["exported folder, MB"] == pytest.approx(size, abs=0.05)
    assert figures["one image, forward only, ms"] > 0
    assert diagram.read_text().startswith("<svg")


def test_the_model_itself_gives_the_table_without_a_server(
    data: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--model", MODEL, "--data", data, "--photos", photos) == 0
    assert "recognized, outside the labels (67 images)" in capsys.readouterr().out


def test_of_a_training_set_only_the_held_out_images_count(tmp_path: Path) -> None:
    labels = np.arange(10_002) % 100
    images = np.zeros((10_002, 1, 1, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = labels
    np.savez(tmp_path / "train.npz", images=images, labels=labels)
    what, chosen = evaluate.evaluation_images(tmp_path / "train.npz")
    assert (what, len(chosen.labels)) == ("CIFAR-100 validation", 5000)
    np.testing.assert_array_equal(chosen.images[:, 0, 0, 0], chosen.labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--data": "nothing.npz"}, "nothing.npz: no such file"),
        ({"--photos": "nothing"}, "nothing: no such folder"),
        ({"--model": "nothing"}, "nothing is no exported model folder"),
        ({"--url": "http://127.0.0.1:9/function/clip"}, "did not answer as the clip function does"),
    ],
)
def test_wrong_arguments_are_a_message_and_no_stack_trace(
    change: dict[str, str],
    message: str,
    data: Path,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = {"--model": str(MODEL), "--data": str(data), "--photos": str(photos), **change}
    assert run(monkeypatch, *(part for option in options.items() for part in option)) == 1
    error = capsys.readouterr().err
    assert error.startswith("evaluate: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_function_that_answers_something_else_is_an_error(
    url: str, data: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = url.replace("clip", "index")
    assert run(monkeypatch, "--model", MODEL, "--data", data, "--photos", photos, "--url", other) == 1
    assert "did not answer as the clip function does" in capsys.readouterr().err
