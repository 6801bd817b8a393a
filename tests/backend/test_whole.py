"""A model folder that is not whole is not served: whichever file is damaged, the error names it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from backend.clip.recognition.recognizer import Recognizer
from tests.functions import clip
from tests.launch import PROJECT, wait_for

BUNDLED = PROJECT / "backend" / "clip" / "model"
OF_BUNDLED = ("image.bin", "image.xml", "labels.npy", "everyday.json", "languages.tsv", "names.tsv")
OF_OPEN = (
    *(*OF_BUNDLED, "everyday.npy", "phrases.npy", "text.bin", "text.xml", "tokenizer.json", "explain.xml"),
    "explain.bin",
)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], None]] = {"truncated": _truncate, "one bit": _flip, "missing": Path.unlink}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", OF_BUNDLED)
def test_the_bundled_model(name: str, damage: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUNDLED, tmp_path / "model"))
    DAMAGES[damage](folder / name)

    with pytest.raises(ValueError, match=rf"{name} (is damaged|cannot be read)"):
        Recognizer(folder)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", OF_OPEN)
def test_an_open_vocabulary(name: str, damage: str, exported: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported["vit"], tmp_path / "model"))
    DAMAGES[damage](folder / name)

    with pytest.raises(ValueError, match=rf"{name} (is damaged|cannot be read)"):
        Recognizer(folder)


def test_a_damaged_manifest(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUNDLED, tmp_path / "model"))
    _truncate(folder / "model.json")

    with pytest.raises(ValueError, match=r"model\.json is damaged"):
        Recognizer(folder)


def test_a_version_that_is_half_there_does_not_become_ready(exported: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported["vit"], tmp_path / "model"))
    _flip(folder / "text.bin")

    with clip(folder, wait_for_ready=False, stuck_timeout="60s") as program:
        wait_for(lambda: "text.bin is damaged" in program.output(), program.output)
        assert requests.get(program.url + "/ready", timeout=10).status_code == 503
