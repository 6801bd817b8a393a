"""Lists of labels and templates, and the bundled model with other labels."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.clip.export.cifar100 import LABELS, TEMPLATES
from backend.clip.export.lists import CIFAR100, read_labels, read_templates
from backend.clip.export.relabel import main, relabel
from backend.clip.export.vocabulary import vocabulary
from backend.clip.recognition.vocabulary import Everyday
from tests.launch import PROJECT

ROOT = PROJECT


def written(folder: Path, text: str | bytes) -> str:
    path = folder / "list.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """What of an exported model with fine classes is looked at, and a file that is not."""
    folder = tmp_path / "model"
    folder.mkdir()
    vocabulary(1100).write(folder)
    (folder / "model.json").write_text(
        json.dumps(
            {
                "name": "tiny",
                "labels": LABELS,
                "files": {"labels.npy": "1f", "image.xml": "2e"},
                "confidence": {"threshold": 0.5, "coverage": {"levels": [0.9]}},
            }
        )
    )
    (folder / "labels.npy").write_bytes(b"rows for the old labels")
    (folder / "image.xml").write_text("a tower")
    return folder


def test_without_a_file_they_are_those_of_cifar100() -> None:
    assert read_labels(CIFAR100) == LABELS
    assert read_templates(CIFAR100) == TEMPLATES


def test_a_list_has_one_a_line(tmp_path: Path) -> None:
    assert read_labels(written(tmp_path, "\ufeff# my pets\n\n cat\ta  tom \r\nGrüße\n")) == ("cat a tom", "Grüße")
    assert read_templates(written(tmp_path, "a photo of a {}.\n{} at night\n")) == ("a photo of a {}.", "{} at night")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("cat\nCat\n", "has a label twice"),
        (b"\xff\xfe\xff", "cannot be read as text"),
        ("\n".join(f"thing {i}" for i in range(1001)), "has 1,001 labels; at most 1,000"),
    ],
)
def test_a_list_that_makes_no_sense(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_labels(written(tmp_path, text))


def test_a_template_without_a_place_for_the_label(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'a photo' must contain \{\} exactly once"):
        read_templates(written(tmp_path, "a photo\n"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read as text"):
        read_labels(str(tmp_path / "none.txt"))


def test_a_model_gets_other_labels(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    relabel(model, ("cat", "dog", "pizza"), out)

    assert json.loads((out / "model.json").read_text()) == {
        "name": "tiny",
        "labels": ["cat", "dog", "pizza"],
        "files": {"image.xml": "2e"},
        "confidence": {"threshold": 0.5, "coverage": None},
    }
    assert {path.name for path in out.iterdir()} == {"model.json", "everyday.json", "image.xml"}
    assert (Everyday.read(out, 1.0).own(("cat", "dog", "pizza"), out).words >= 0).all()


def test_labels_are_known_in_the_plural_and_by_their_other_names(model: Path, tmp_path: Path) -> None:
    labels = ("Cats", "puppies", "wolves", "smartphones", "glasses")

    relabel(model, labels, tmp_path / "out")

    assert tuple(json.loads((tmp_path / "out" / "model.json").read_text())["labels"]) == labels
    served = Everyday.read(tmp_path / "out", 1.0)
    found = [served.words[word] for word in served.own(labels, tmp_path / "out").words]
    assert found == ["cat", "dog", "wolf", "cell phone", "glasses"]


def test_labels_that_the_model_does_not_know(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"does not know: flamnigo \(near: flamingo\)\. It does not know 2 of the"):
        relabel(model, ("cat", "flamnigo", "qwertz"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_that_compares_embeddings_is_exported_again(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    vocabulary().write(tmp_path / "model", np.zeros((1, 1), np.float32))
    with pytest.raises(ValueError, match="export it again"):
        relabel(tmp_path / "model", ("cat",), tmp_path / "out")


def test_the_command_needs_nothing_but_python(model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, sys.argv.pop(1)); "
               "from backend.clip.export.relabel import main; sys.exit(main())"]  # fmt: skip
    labels = written(tmp_path, "cat\ndog\n")
    run = subprocess.run(
        [*command, str(ROOT), "--model", str(model), "--labels", labels, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "out" / "model.json").read_text())["labels"] == ["cat", "dog"]


def test_a_mistake_is_said_in_words(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = written(tmp_path, "qwertz\n")
    monkeypatch.setattr(
        "sys.argv", ["relabel", "--model", str(model), "--labels", labels, "--out", str(tmp_path / "out")]
    )
    assert main() == 1
    assert capsys.readouterr().err == "relabel: This model does not know: qwertz. It does not know 1 of the labels.\n"
