"""From a checkpoint and photographs to the folder that is served."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from backend.clip.export.cifar100 import LABELS
from backend.clip.manifest import Manifest
from backend.clip.recognition.recognizer import Recognizer
from training import composites
from training.data import DataError, LabeledImages
from training.photos import Photo
from training.served import write_served

_SKIMAGE = Path(str(skimage.data.__file__)).parent
_THINGS = {"cat": "chelsea.png", "espresso": "coffee.png"}
CHECKPOINT = Path("training/checkpoint")
HELD_OUT = LabeledImages(np.zeros((2, 32, 32, 3), np.uint8), np.array([0, 1]))


@pytest.fixture
def photos(tmp_path: Path) -> list[Photo]:
    """Photographs of a cat and a cup, each cut in many ways, and as many gray ones that are called by labels."""
    found = []
    for number in range(10):
        for what, name in _THINGS.items():
            with Image.open(_SKIMAGE / name) as opened:
                width, height = opened.size
                part = opened.convert("RGB").crop((3 * number, 2 * number, width - 2 * number, height - 3 * number))
            path = tmp_path / f"{what} {number}.jpg"
            part.save(path)
            found.append(Photo(path, "mine", what, ""))
        path = tmp_path / f"gray {number}.jpg"
        Image.new("RGB", (300, 300), (20 * number,) * 3).save(path)
        found.append(Photo(path, "mine", LABELS[number], LABELS[number]))
    return found


def test_a_checkpoint_becomes_a_model_that_is_served(
    photos: list[Photo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composites, "PICTURES", 3)
    checkpoint = tmp_path / "checkpoint"
    shutil.copytree(CHECKPOINT, checkpoint)
    before = (checkpoint / "classes.safetensors").read_bytes()

    folder = write_served(checkpoint, photos, HELD_OUT, 0)

    manifest = Manifest.read(folder)
    manifest.require_whole(folder)
    assert (manifest.title, manifest.license, manifest.vocabulary) == (
        "lite2-clip-208/cifar100",
        "Apache-2.0",
        "closed",
    )
    assert "30 photographs, 2 held-out images" in manifest.confidence.source
    assert manifest.confidence.coverage is not None
    assert manifest.confidence.coverage.source.startswith("calibrated on 10 photographs")
    assert manifest.confidence.parts
    assert (checkpoint / "classes.safetensors").read_bytes() != before
    recognizer = Recognizer(folder)
    assert recognizer.background is not None
    assert recognizer.has_parts


def test_too_few_photographs_are_refused(photos: list[Photo], tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    shutil.copytree(CHECKPOINT, checkpoint)
    with pytest.raises(DataError, match="too few"):
        write_served(checkpoint, photos[:3], HELD_OUT, 0)
