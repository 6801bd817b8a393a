"""``python -m local.calibrate``: which folder is calibrated, and what is said where there is none."""

import shutil
from pathlib import Path

import pytest

from tests.backend.export.public_copies import write_sets
from tests.checkpoints import write_checkpoint
from tests.launch import PROJECT, run


@pytest.mark.parametrize("model", ["bundled", str(PROJECT / "backend" / "clip" / "model")])
def test_the_model_in_the_sources_is_not_written_to(model: str, tmp_path: Path) -> None:
    before = (PROJECT / "backend" / "clip" / "model" / "model.json").read_bytes()
    ended = run("local.calibrate", "--model", model, "--data", str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("The bundled model is calibrated already")
    assert (PROJECT / "backend" / "clip" / "model" / "model.json").read_bytes() == before


def test_a_checkpoint_is_exported_and_the_sets_that_are_missing_are_named(tmp_path: Path) -> None:
    name = write_checkpoint(tmp_path / "checkpoint", "vit")
    copies = write_sets(tmp_path / "copies")
    shutil.rmtree(copies / "oxford-iiit-pet")
    ended = run("local.calibrate", "--model", name, "--data", str(copies), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("Traceback") == 0
    assert f"calibrate: {copies} lacks these folders" in ended.stderr
    assert "  oxford-iiit-pet: Oxford pets, https://" in ended.stderr
    [folder] = (tmp_path / "cache" / "serverless-image-recognizer").iterdir()
    assert (folder / "model.json").is_file()
    assert not (tmp_path / "cache" / "serverless-image-recognizer" / "photographs").exists()


def test_an_exported_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(PROJECT / "backend" / "clip" / "model", tmp_path / "model"))
    ended = run("local.calibrate", "--model", str(copy), "--data", str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "c"))
    assert ended.returncode == 1
    assert f"calibrate: {tmp_path} lacks these folders" in ended.stderr
    assert "Exporting" not in ended.stderr
