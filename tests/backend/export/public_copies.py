"""Small public sets in the form in which torchvision's classes read them, drawn by a program."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from PIL import Image

from backend.clip.export.cifar100 import LABELS

CALTECH = ("beaver", "butterfly", "chair", "cup", "lamp", "windsor_chair", "accordion", "anchor", "Faces", "yin_yang")
PETS = {"Beagle": "dog", "Pug": "dog", "Bombay": "cat", "Siamese": "cat"}
TEXTURES = ("banded", "bumpy", "cracked", "dotted")
PER_CLASS = 2


def write_sets(folder: Path, *, changed: frozenset[str] = frozenset()) -> Path:
    """Write all four sets; pictures of the ``changed`` classes are other ones."""
    caltech = folder / "caltech101" / "101_ObjectCategories"
    (caltech / "BACKGROUND_Google").mkdir(parents=True)
    for name in CALTECH:
        for number in range(PER_CLASS):
            _save(caltech / name / f"image_{number + 1:04d}.jpg", name, number, name in changed)
    pets = folder / "oxford-iiit-pet"
    lines = []
    for number, (breed, kind) in enumerate(sorted(PETS.items())):
        for each in range(PER_CLASS):
            _save(pets / "images" / f"{breed}_{each}.jpg", breed, each, breed in changed)
            lines.append(f"{breed}_{each} {number + 1} {1 if kind == 'cat' else 2} 1")
    (pets / "annotations").mkdir()
    (pets / "annotations" / "test.txt").write_text("\n".join(lines) + "\n")
    write_textures(folder / "dtd" / "dtd", changed=changed)
    _write_cifar100(folder / "cifar-100-python")
    return folder


def write_textures(folder: Path, *, changed: frozenset[str] = frozenset()) -> None:
    files = [f"{name}/{name}_{number:04d}.jpg" for name in TEXTURES for number in range(PER_CLASS)]
    for file in files:
        name = file.partition("/")[0]
        _save(folder / "images" / file, name, files.index(file), name in changed)
    (folder / "labels").mkdir()
    (folder / "labels" / "test1.txt").write_text("\n".join(files) + "\n")


def accept_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torchvision take this copy of CIFAR-100 for the real one: it knows the files by their checksums."""

    def checksum(name: str) -> str:
        return hashlib.md5((folder / "cifar-100-python" / name).read_bytes()).hexdigest()

    real = torchvision.datasets.CIFAR100
    monkeypatch.setattr(real, "train_list", [["train", checksum("train")]])
    monkeypatch.setattr(real, "test_list", [["test", checksum("test")]])
    monkeypatch.setattr(real, "meta", {**real.meta, "md5": checksum("meta")})


def _write_cifar100(folder: Path) -> None:
    folder.mkdir()
    labels = list(range(len(LABELS)))
    images = np.stack([np.asarray(_drawn(LABELS[label], 0, 32)) for label in labels])
    data = images.transpose(0, 3, 1, 2).reshape(len(labels), -1)
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps({"data": data, "fine_labels": labels}))
    names = [label.replace(" ", "_") for label in LABELS]
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": names}))


def _save(path: Path, name: str, number: int, changed: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _drawn(name, number + 1000 * changed, 96).save(path, quality=90)


def _drawn(name: str, number: int, side: int) -> Image.Image:
    seed = int.from_bytes(hashlib.sha256(f"{name} {number}".encode()).digest()[:4])
    levels = np.random.default_rng(seed).integers(0, 256, size=(4, 4, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize((side, side), Image.Resampling.BICUBIC)
