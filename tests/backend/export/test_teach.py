"""A folder of photos, or a file that a page has saved, becomes things that a model knows."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.clip.export.teach import main
from backend.clip.manifest import Manifest
from backend.clip.recognition.recognizer import Recognizer
from tests.launch import PROJECT
from tests.things import SCENES, view, write_file, write_things

MODEL = PROJECT / "backend" / "clip" / "model"


def teach(examples: Path, out: Path, model: Path = MODEL) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backend.clip.export.teach", "--model", model, "--examples", examples, "--out", out],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refused(examples: Path, out: Path, model: Path = MODEL) -> str:
    """What the command says, which refuses these examples and writes nothing."""
    ended = teach(examples, out, model)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    assert not out.exists()
    return ended.stderr


def rows(count: int, seed: int = 0) -> list[np.ndarray]:
    made = np.random.default_rng(seed).normal(size=(count, 640)).astype(np.float32)
    return list(made / np.linalg.norm(made, axis=1, keepdims=True))


def test_a_folder_is_learned_and_what_is_alike_is_said(tmp_path: Path) -> None:
    things = {"our cat Chelsea": SCENES[0], "blue mug": SCENES[1], "Müller, 🐕": SCENES[3]}
    folder = write_things(tmp_path / "things", things, 3)
    # The same cat under another name: nobody can tell these two apart.
    shutil.copytree(folder / "our cat Chelsea", folder / "the neighbour's cat")
    (folder / "blue mug" / "notes.txt").write_text("from the kitchen")
    (folder / "blue mug" / ".hidden.jpg").write_bytes(view(SCENES[0], 1))
    (folder / ".cache").mkdir()
    (folder / "readme.txt").write_text("not a thing")

    ended = teach(folder, tmp_path / "out")

    assert ended.returncode == 0, ended.stderr
    table = {line.split("  ")[0]: line for line in ended.stdout.splitlines()}
    assert table["blue mug"].split() == ["blue", "mug", "3", "3", "of", "3"]
    assert table["Müller, 🐕"].endswith("3 of 3")
    assert "is hard to tell from" in ended.stdout
    assert "our cat Chelsea (" in table["the neighbour's cat"] or "the neighbour's cat (" in table["our cat Chelsea"]
    assert ended.stderr.splitlines() == [
        "blue mug/notes.txt is left out: This is not an image of a supported format "
        "(JPEG, PNG, GIF, BMP, TIFF, WEBP, AVIF, HEIF)."
    ]
    Manifest.read(tmp_path / "out").require_whole(tmp_path / "out")
    assert "examples.npz" in Manifest.read(tmp_path / "out").files
    assert not (MODEL / "examples.npz").exists()


def test_one_photo_of_one_thing_is_enough(tmp_path: Path) -> None:
    ended = teach(write_things(tmp_path / "things", {"cup": SCENES[1]}, 1), tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1].split() == ["cup", "1", "-"]
    assert "The model knows words like these: cup. With vocabulary=all the examples take their place." in ended.stdout


def test_of_many_photos_fifty_are_used(tmp_path: Path) -> None:
    folder = write_things(tmp_path / "things", {"mug": SCENES[1]}, 1)
    for number in range(1, 53):
        shutil.copy(folder / "mug" / "0.jpg", folder / "mug" / f"{number}.jpg")
    ended = teach(folder, tmp_path / "out")
    assert ended.stderr == "mug: 50 of 53 files are used, evenly spread by name.\n"
    assert ended.stdout.splitlines()[1].split()[:2] == ["mug", "50"]


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([], "has no subfolders: make one for each thing"),
        (["empty"], "empty has no photo that can be read: put 1 to 50 into its folder"),
        (["Bella", "BELLA"], "Two things are called"),
        (["red \x1b[31m mug"], "has characters that cannot be shown"),
        (["a\u202eb"], "has characters that cannot be shown"),
        ([" "], "A thing's name has 1 to 200 characters"),
        (["m" * 201], "A thing's name has 1 to 200 characters"),
        ([f"thing {number}" for number in range(1001)], "has 1,001 subfolders; at most 1,000"),
    ],
)
def test_a_folder_that_makes_no_sense(
    tmp_path: Path,
    folders: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "things").mkdir()
    for name in folders:
        (tmp_path / "things" / name).mkdir()
    arguments = ["--model", str(MODEL), "--examples", str(tmp_path / "things"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["teach", *arguments])
    assert main() == 1
    said = capsys.readouterr().err
    assert message in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert not (tmp_path / "out").exists()


def test_a_file_that_a_page_has_saved(tmp_path: Path) -> None:
    recognizer = Recognizer(MODEL, precision="f32")
    from backend.clip.photos.image import read_pixels

    seen = {
        name: [recognizer.embed(read_pixels(view(scene, n), recognizer.manifest.image)).embedding for n in range(3)]
        for name, scene in {"mug": SCENES[1], "cat": SCENES[0]}.items()
    }
    ended = teach(write_file(tmp_path / "things.json", seen), tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1].split() == ["mug", "3", "3", "of", "3"]
    learned = Recognizer(tmp_path / "out", precision="f32").examples
    assert learned is not None
    assert (learned.names, learned.space) == (("mug", "cat"), "embedding")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "has version 2; this service reads version 1"),
        ({"version": True}, "is not a file of examples"),
        ({"extra": 1}, "is not a file of examples, which has"),
        ({"weights_sha256": "0" * 64, "model": "other/one"}, "examples of another model, 'other/one'; this is 'lite2"),
        ({"model": 3}, "model and weights_sha256 must be strings"),
        ({"things": []}, "things must be an array of 1 to 1,000"),
        ({"things": [{"name": "a", "embeddings": ["AAAA"]}] * 1001}, "things must be an array of 1 to 1,000"),
        ({"things": ["mug"]}, "things[0] must have a name and embeddings"),
        ({"things": [{"name": "mug", "embeddings": []}]}, "things[0]: embeddings must be an array of 1 to 50"),
        ({"things": [{"name": "mug", "embeddings": ["AAAA"] * 51}]}, "embeddings must be an array of 1 to 50"),
        ({"things": [{"name": "mug", "embeddings": ["AAAA"]}]}, "things[0].embeddings[0] must be 640 numbers"),
        ({"things": [{"name": "mug", "embeddings": ["Grüße"]}]}, "things[0].embeddings[0] must be 640 numbers"),
        ({"things": [{"name": "mug", "embeddings": [3]}]}, "things[0].embeddings[0] must be 640 numbers"),
        ({"things": [{"name": "mug", "embeddings": ["A" * 3412]}]}, "must be 640 numbers"),
    ],
)
def test_a_file_that_makes_no_sense(
    tmp_path: Path,
    changes: dict[str, object],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_file(tmp_path / "things.json", {"mug": rows(1)}, **changes)
    arguments = ["--model", str(MODEL), "--examples", str(path), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["teach", *arguments])
    assert main() == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("factor", [0.0, 2.0, np.nan, np.inf])
def test_embeddings_have_unit_length(tmp_path: Path, factor: float) -> None:
    with np.errstate(invalid="ignore"):
        path = write_file(tmp_path / "things.json", {"mug": [rows(1)[0] * np.float32(factor)]})
    assert "must have unit length" in refused(path, tmp_path / "out")


@pytest.mark.parametrize("text", [b"", b"[" * 100_000, b"\xff", b'{"version": 1, "version": 1}'])
def test_what_is_not_json(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "things.json").write_bytes(text)
    assert "is not a file of examples" in refused(tmp_path / "things.json", tmp_path / "out")


def test_examples_of_another_model_are_not_served(tmp_path: Path) -> None:
    path = write_file(tmp_path / "things.json", {"mug": rows(2), "cup": rows(2, 1)})
    assert teach(path, tmp_path / "out").returncode == 0
    said = json.loads((tmp_path / "out" / "model.json").read_text())
    (tmp_path / "out" / "model.json").write_text(json.dumps(said | {"weights_sha256": "1" * 64, "name": "another"}))
    with pytest.raises(ValueError, match=r"examples of another model, 'lite2-clip-208/cifar100'; this is 'another"):
        Recognizer(tmp_path / "out", precision="f32")


def test_a_damaged_file_is_not_served(tmp_path: Path) -> None:
    path = write_file(tmp_path / "things.json", {"mug": rows(2), "cup": rows(2, 1)})
    assert teach(path, tmp_path / "out").returncode == 0
    data = bytearray((tmp_path / "out" / "examples.npz").read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / "out" / "examples.npz").write_bytes(data)
    with pytest.raises(ValueError, match=r"examples\.npz is damaged: its SHA-256"):
        Recognizer(tmp_path / "out", precision="f32")


def test_an_open_vocabulary_learns_as_well(tmp_path: Path, exported: dict[str, Path]) -> None:
    folder = write_things(tmp_path / "things", {"mug": SCENES[1], "cat": SCENES[0], "wall": SCENES[4]}, 3)
    ended = teach(folder, tmp_path / "out", exported["vit"])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1].split()[:2] == ["cat", "3"]
    learned = Recognizer(tmp_path / "out").examples
    assert learned is not None
    assert learned.space == "embedding"
