"""The languages in a model folder: they are those of the lists, and can be written anew when a word was corrected."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.clip.export import languages, names
from backend.clip.export.languages import FILES, write_languages
from backend.clip.manifest import Manifest, hashes
from tests.launch import PROJECT

MODEL = PROJECT / "backend" / "clip" / "model"


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend.clip.export.languages", str(folder)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def test_the_bundled_folder_has_what_the_lists_say(tmp_path: Path) -> None:
    write_languages(tmp_path)
    for name in FILES:
        assert (MODEL / name).read_bytes() == (tmp_path / name).read_bytes(), "run the command of export/languages.py"
    assert Manifest.read(MODEL).files.items() >= hashes(tmp_path, FILES).items()


def test_the_command_writes_them_and_their_hashes(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(MODEL, tmp_path / "model"))
    (folder / "names.tsv").unlink()
    (folder / "languages.tsv").write_text("en\tde\ndog\tHnud\n")

    result = run(folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in MODEL.iterdir()
    }


def test_a_folder_that_is_no_model_is_left_as_it_is(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("languages: ")
    assert list(tmp_path.iterdir()) == []


def test_names_that_fall_together_when_they_are_folded_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = Path(shutil.copytree(PROJECT / "backend" / "clip" / "export" / "words", tmp_path / "words"))
    text = (lists / "fr.txt").read_text(encoding="utf-8")
    (lists / "fr.txt").write_text(
        text.replace("dog = chien", "dog = c\u2019hien", 1).replace("cat = chat", "cat = c'hien", 1)
    )
    read = names.read_names
    monkeypatch.setattr(languages, "read_names", lambda language, words: read(language, words, lists))

    with pytest.raises(ValueError, match="fr: c'hien stands for c\u2019hien and c'hien"):
        write_languages(tmp_path)
