"""The training command on a tiny set of random images: what it writes, and that an interruption changes nothing."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file

from backend.clip.export.cifar100 import TEMPLATES
from backend.clip.export.fine_classes import FineClasses
from tests.training.drawn import write_pictures
from training import prompts, step1_maps, step2_text_tower, step3_trunk, step5_label_units
from training.__main__ import main
from training.model import create

IMAGES = 16
compile_frozen = step1_maps.compile_frozen
frozen = cache(lambda: compile_frozen(create().visual.trunk))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    images = rng.integers(0, 256, size=(IMAGES, 32, 32, 3), dtype=np.uint8)
    np.savez(path, images=images, labels=rng.integers(0, 100, size=IMAGES))
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("data") / "pictures")


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "TEMPLATES", TEMPLATES[:2])
    # Every run has the same frozen stages, and converting them takes seconds.
    monkeypatch.setattr(step1_maps, "compile_frozen", lambda trunk: frozen())
    monkeypatch.setattr(step2_text_tower, "EPOCHS", 2)
    monkeypatch.setattr(step3_trunk, "EPOCHS", 2)
    monkeypatch.setattr(step1_maps, "SCENES", 9)
    monkeypatch.setattr(step5_label_units, "PLAIN_STEPS", 2)
    monkeypatch.setattr(step5_label_units, "ALL_STEPS", 2)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["training", *map(str, arguments)])
    return main()


@pytest.fixture(scope="module")
def whole(data: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an uninterrupted run writes."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    with pytest.MonkeyPatch.context() as patched:
        shorten(patched)
        assert run(patched, "--data", data, "--pictures", pictures, "--out", folder) == 0
    return folder


def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    whole: Path,
    data: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = tmp_path / "parts"
    given = ("--data", data, "--pictures", pictures, "--out", parts)

    write = torch.save
    written: list[Path] = []

    def until(count: int) -> Callable[[dict[str, object], Path], None]:
        def save(state: dict[str, object], path: Path) -> None:
            if len(written) == count:
                raise KeyboardInterrupt
            write(state, path)
            written.append(path)

        return save

    for saved in (3, 5):  # in all runs: after an epoch of the text tower, and after one of the trunk
        with monkeypatch.context() as patched:
            patched.setattr(torch, "save", until(saved))
            assert run(patched, *given) == 130
        assert "the same command goes on" in capsys.readouterr().err
        assert not (parts / "open_clip_model.safetensors").exists()
    assert run(monkeypatch, *given) == 0
    log = (parts / "train.log").read_text()
    assert log.count("goes on after epoch 1 of 2") == 2
    assert log.count("tuning goes on after epoch 1 of 2") == 1

    for file in ("open_clip_model.safetensors", "classes.safetensors"):
        expected, resumed = (load_file(folder / file) for folder in (whole, parts))
        assert expected.keys() == resumed.keys()
        assert [name for name in expected if not torch.equal(expected[name], resumed[name])] == []


def test_the_checkpoint_is_in_the_form_of_open_clip(whole: Path) -> None:
    loaded, _, _ = open_clip.create_model_and_transforms(f"local-dir:{whole}")
    assert isinstance(loaded, open_clip.CLIP)
    assert open_clip.get_tokenizer(f"local-dir:{whole}")(["a photo of an apple."]).shape == (1, 32)
    assert FineClasses(load_file(whole / "classes.safetensors")).count == 1100


def test_photographs_that_are_not_there_are_missed_before_anything_is_done(
    data: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--data", data, "--pictures", pictures, "--photos", tmp_path / "nowhere", "--out", tmp_path / "out")
    assert run(monkeypatch, *given) == 1
    assert "nowhere: no such folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_run_is_refused(
    data: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "run.json").write_text('{"sha256": "0", "seed": 0}')
    assert run(monkeypatch, "--data", data, "--pictures", pictures, "--out", tmp_path) == 1
    assert "other data or another seed" in capsys.readouterr().err


def test_missing_data_is_a_message_and_no_stack_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--data", tmp_path / "nothing.npz", "--pictures", tmp_path, "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert "nothing.npz: no such file" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
