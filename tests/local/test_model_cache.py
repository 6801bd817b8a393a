"""``python -m local.model_cache``: exports into the cache once, or says what to do."""

import json
from pathlib import Path

import pytest

from tests.checkpoints import write_checkpoint
from tests.launch import run


def test_a_checkpoint_is_exported_once(tmp_path: Path) -> None:
    name = write_checkpoint(tmp_path / "checkpoint", "vit")
    command = ("local.model_cache", "--model", name, "--pretrained", "ignored here")
    first = run(*command, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert first.returncode == 0, first.stderr
    folder = Path(first.stdout.splitlines()[-1])
    assert folder.parent == tmp_path / "cache" / "serverless-image-recognizer"
    assert (folder / "model.json").is_file()
    assert list(folder.parent.iterdir()) == [folder]  # nothing half-made is left
    written = (folder / "model.json").stat().st_mtime_ns
    second = run(*command, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert second.stdout == first.stdout
    assert (folder / "model.json").stat().st_mtime_ns == written


@pytest.mark.parametrize("arguments", [("ViT-B-32", "no_such_tag"), ("local-dir:/none", "")])
def test_what_cannot_be_exported_is_named_with_what_to_do(tmp_path: Path, arguments: tuple[str, str]) -> None:
    model, pretrained = arguments
    ended = run("local.model_cache", "--model", model, "--pretrained", pretrained, XDG_CACHE_HOME=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert model in ended.stderr
    assert pretrained in ended.stderr
    assert "local-dir:" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list((tmp_path / "serverless-image-recognizer").iterdir()) == []


def test_a_license_that_forbids_commercial_use_needs_to_be_accepted(tmp_path: Path) -> None:
    command = ("local.model_cache", "--model", "ViT-B-16", "--pretrained", "dfn2b")
    ended = run(*command, XDG_CACHE_HOME=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "forbids commercial use" in ended.stderr
    assert "ACCEPT_LICENSE=1" in ended.stderr
    assert not list(tmp_path.iterdir())
    accepted = run(*command, "--accept-license", XDG_CACHE_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert "ViT-B-16 dfn2b was not exported" in accepted.stderr, "it must have got to the download, which is off"


def test_the_bundled_model_gets_other_labels(tmp_path: Path) -> None:
    labels = tmp_path / "pets.txt"
    labels.write_text("cat\ndog\n# and for lunch\npizza\n")
    command = ("local.model_cache", "--model", "bundled", "--labels", str(labels))
    first = run(*command, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert first.returncode == 0, first.stderr
    folder = Path(first.stdout.splitlines()[-1])
    assert json.loads((folder / "model.json").read_text())["labels"] == ["cat", "dog", "pizza"]
    assert run(*command, XDG_CACHE_HOME=str(tmp_path / "cache")).stdout == first.stdout
    labels.write_text("cat\nflamnigo\n")
    ended = run(*command, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "does not know: flamnigo (near: flamingo)" in ended.stderr
    assert "MODEL=ViT-B-32" in ended.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--labels", "/nowhere.txt"), "/nowhere.txt"), (("--templates", __file__), "no text tower for other templates")],
)
def test_lists_that_the_bundled_model_cannot_take(tmp_path: Path, options: tuple[str, str], message: str) -> None:
    ended = run("local.model_cache", "--model", "bundled", *options, XDG_CACHE_HOME=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
