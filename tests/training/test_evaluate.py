"""The table of figures, against a function whose answers are known, and the command line's errors."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image

from backend.clip.export.cifar100 import LABELS
from training import evaluate
from training.photos import list_photos

MODEL = Path("backend/clip/model")


class Clip(BaseHTTPRequestHandler):
    """Answers as ``clip`` does: the label whose number is the image's red, with a confidence of its green; of the
    everyday words a goldfish, and of cat and dog the cat where there is blue."""

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        with Image.open(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"])))) as image:
            red, green, blue = image.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
        first = LABELS[min(red, 99)]
        if query.get("vocabulary") == "everyday":
            first = "goldfish"
        elif query.get("labels") == "cat,dog":
            first = "cat" if blue > 127 else "dog"
        others = [{"label": label, "score": 0.002} for label in LABELS[:4]]
        answer = {
            "predictions": [{"label": first, "score": 0.8}, *others],
            "confidence": green / 255,
            "recognized": green > 127,
        }
        asked = address.path == "/function/clip" and query["top_k"] == "5"
        body = json.dumps(answer if asked else {"error": {}}).encode()
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


def plain(red: int, green: int, blue: int = 0) -> np.ndarray:
    return np.full((32, 32, 3), (red, green, blue), dtype=np.uint8)


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


@pytest.fixture
def everyday(tmp_path: Path) -> Path:
    """Photographs with an index."""
    folder = tmp_path / "everyday"
    folder.mkdir()
    shown = {
        "apple-1": (plain(0, 255), "grocery\tGala\tapple"),
        "apple-2": (plain(7, 0), "grocery\tGala\tapple"),
        "pear": (plain(57, 200), "grocery\tPear\tpear"),
        "cat": (plain(3, 255, 255), "pets\tcat\t"),
        "dog": (plain(3, 0), "pets\tdog\t"),
        "fish": (plain(1, 255), "imagenet\tgoldfish\t"),
        "piano": (plain(2, 0), "imagenet\tgrand piano\t"),
    }
    rows = ["file\tsource\twhat\tlabel"]
    for name, (image, row) in shown.items():
        Image.fromarray(image).save(folder / f"{name}.png")
        rows.append(f"{name}.png\t{row}")
    (folder / "index.tsv").write_text("\n".join(rows) + "\n")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["evaluate", *map(str, arguments)])
    return evaluate.main()


def test_the_table_against_answers_that_are_known(
    url: str,
    data: Path,
    photos: Path,
    everyday: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    diagram = tmp_path / "reliability.svg"
    arguments = ("--model", MODEL, "--data", data, "--photos", photos, everyday, "--url", url, "--diagram", diagram)
    assert run(monkeypatch, *arguments) == 0
    rows = [line.strip("|\n").rsplit("|", 1) for line in capsys.readouterr().out.splitlines()]
    figures = [(name.rstrip()[1:], float(value)) for name, value in rows]
    assert figures[:2] == [("CIFAR-100, all of the file, top-1 (4)", 0.75), ("  recognized", 0.75)]
    assert figures[2:6] == [
        ("photographs without an index of the hundred, top-1 (2)", 0.5),
        ("  mean over words", 0.5),
        ("  top-5", 1.0),
        ("  recognized", 0.5),
    ]
    assert figures[6:13] == [
        ("clean photographs of the hundred, top-1 (3)", 0.667),
        ("  mean over words", 0.75),
        ("  top-5", 1.0),
        ("  recognized", 0.667),
        ("clean photographs of other things, recognized wrongly (2)", 0.5),
        ("  confidence 0.9 or more: wrong (2)", 0.5),
        ("  of the right answers have it", 0.5),
    ]
    assert figures[13:16] == [
        ("ImageNet photographs of other things, recognized wrongly (2)", 0.5),
        ("ImageNet photographs, everyday word right (2)", 0.5),
        ("labels=cat,dog on cats and dogs, right (2)", 1.0),
    ]
    named = dict(figures)
    size = sum(path.stat().st_size for path in MODEL.rglob("*")) / 1e6
    assert named["exported folder, MB"] == pytest.approx(size, abs=0.05)
    assert named["one image, forward only, ms"] > 0
    assert named["expected calibration error, photographs (9)"] > 0
    assert diagram.read_text().startswith("<svg")


def test_only_a_part_of_indexed_photographs_counts(everyday: Path, photos: Path) -> None:
    pears_and_pianos = evaluate.counted(list_photos(everyday), "report")
    assert {photo.what for photo in pears_and_pianos} == {"Pear", "dog", "grand piano"}
    assert len(evaluate.counted(list_photos(photos), "report")) == 2


def test_the_model_itself_gives_the_table_without_a_server(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--model", MODEL, "--photos", photos) == 0
    printed = capsys.readouterr().out
    assert "drawn by a program, recognized (72)" in printed
    assert "CIFAR-100" not in printed


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
        ({"--model": "nothing"}, "nothing is not an exported model folder"),
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
