"""Lists photographs, with what they show and from which source they are.

A folder has either an ``index.tsv`` (columns ``file``, ``source``, ``what`` it shows and, where one of the 100 labels
names it, that ``label``), or files called ``LABEL__anything.jpg`` with ``_`` for each space in LABEL.
"""

import csv
from pathlib import Path
from typing import NamedTuple

from backend.clip.export.cifar100 import LABELS
from training.data import PHOTO_SUFFIXES, DataError

INDEX = "index.tsv"
PARTS = ("choose", "report")
_COLUMNS = {"file", "source", "what", "label"}


class Photo(NamedTuple):
    """A photograph's file."""

    path: Path
    source: str
    """Empty where the folder has no index."""
    what: str
    label: str
    """One of ``LABELS``, or empty where none names what it shows."""


def list_photos(folder: Path) -> list[Photo]:
    """The photographs of ``folder``.

    Raises:
        DataError: it is missing or empty, a file is missing, or a label is none of ``LABELS``.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder. Give one with an {INDEX}, or photographs called LABEL__anything.jpg"
        )
    index = folder / INDEX
    photos = _indexed(index) if index.exists() else _named(folder)
    if not photos:
        raise DataError(f"{folder}: no photographs called LABEL__anything.jpg in it, and no {INDEX}")
    return photos


def _indexed(index: Path) -> list[Photo]:
    with index.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if missing := _COLUMNS - set(rows.fieldnames or ()):
            raise DataError(f"{index}: it has no column {', '.join(sorted(missing))}")
        photos = [Photo(index.parent / row["file"], row["source"], row["what"], row["label"] or "") for row in rows]
    for photo in photos:
        if not photo.path.is_file():
            raise DataError(f"{index}: {photo.path.name} is not there")
        if photo.label and photo.label not in LABELS:
            raise DataError(f"{index}: {photo.label} is none of the 100 labels")
    return photos


def _named(folder: Path) -> list[Photo]:
    names = {label.replace(" ", "_"): label for label in LABELS}
    photos = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PHOTO_SUFFIXES:
            continue
        label, separator, what = path.stem.partition("__")
        if not separator or label not in names:
            raise DataError(f"{path}: the name does not start with one of the 100 labels and two underscores")
        photos.append(Photo(path, "", what.replace("_", " "), names[label]))
    return photos


def seen(photo: Photo) -> bool:
    """Whether it comes from ImageNet, so that a model that starts from ImageNet's weights may have seen it."""
    return photo.source.startswith("imagenet")


def part_of(photos: list[Photo], part: str) -> list[Photo]:
    """One of two parts of indexed photographs that have no thing in common: ``choose``, to choose and calibrate on, and
    ``report``, for the figures; both with the same share of each source, of known and of unknown things."""
    kinds: dict[tuple[str, bool], list[str]] = {}
    for photo in sorted(photos, key=lambda photo: photo.what):
        things = kinds.setdefault((photo.source, bool(photo.label)), [])
        if photo.what not in things:
            things.append(photo.what)
    wanted = PARTS.index(part)
    return [photo for photo in photos if kinds[photo.source, bool(photo.label)].index(photo.what) % 2 == wanted]
