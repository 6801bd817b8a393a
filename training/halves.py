"""Measures how often an explanation lies where the thing is, on pictures whose halves are two photographs.

    python -m training.halves --photos FOLDER --part report

Each picture shows two things that are not related, beside or above each other. Each of them is asked for alone
(``labels=THING``), and the heat counts that lies in its half. Then the everyday words are ranked, and where the first
is one of the two things, the heat counts that lies in that thing's half.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from backend.clip.deadline import Deadline
from backend.clip.export.words import Words, read_words
from backend.clip.photos.image import fit
from backend.clip.recognition.candidates import Candidates
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Recognizer
from training.composites import compose, halves
from training.data import DataError
from training.metrics import print_table
from training.photos import PARTS, Photo, list_photos, part_of


class _Picture(NamedTuple):
    image: Image.Image
    words: tuple[int, int]
    """What the first half shows, and what the second."""
    beside: bool
    """Whether the halves are left and right, not top and bottom."""


def measure(recognizer: Recognizer, photos: Sequence[Photo], count: int, seed: int) -> list[tuple[str, str]]:
    """The rows of the table: how often more than half of the heat lies in the right half, and the mean share."""
    words = read_words()
    asked: list[float] = []
    first: list[float] = []
    everyday = recognizer.everyday
    found = [(photo, everyday.find(photo.label or photo.what)) for photo in photos]
    known = [(photo, words.index(everyday.words[word])) for photo, word in found if word >= 0]
    for picture in _pictures(words, known, count, random.Random(seed)):  # noqa: S311
        for half, word in enumerate(picture.words):
            candidates = recognizer.candidates(Query(labels=(words.names[word],)), Deadline.unlimited())
            asked.append(_share(recognizer, picture, candidates, half)[1])
        label, share = _share(recognizer, picture, everyday.candidates, 0)
        best = words.index(label)
        halves = [words.related[word, best] for word in picture.words]
        if sum(halves) == 1:
            first.append(share if halves[0] else 1 - share)
    return [
        row
        for kind, shares in (("label asked for", asked), ("first of the everyday words", first))
        for row in (
            (
                f"{kind} ({len(shares)}): more than half of the heat in its half",
                f"{np.mean(np.array(shares) > 0.5):.3f}",
            ),
            ("  mean share of the heat", f"{np.mean(shares):.3f}"),
        )
    ]


def _pictures(words: Words, known: Sequence[tuple[Photo, int]], count: int, rng: random.Random) -> Iterator[_Picture]:
    for number in range(count):
        while True:
            (one, first), (other, second) = rng.sample(known, 2)
            if not words.related[first, second]:
                break
        beside = number % 2 == 0
        image = compose((one, other), halves("beside" if beside else "above"))
        yield _Picture(image, (first, second), beside)


def _share(recognizer: Recognizer, picture: _Picture, candidates: Candidates, half: int) -> tuple[str, float]:
    """The first label, and the share of its heat that lies in a half; 0 where there is no heat."""
    if recognizer.explainer is None:
        raise DataError("this model explains nothing")
    view = recognizer.embed(np.asarray(fit(picture.image, recognizer.manifest.image)), with_map=True)
    label = recognizer.rank(view, candidates, 1).predictions[0].label
    grid = recognizer.explainer.explain(view, candidates, label, picture.image.size).grid
    heat = grid.sum(axis=0 if picture.beside else 1)
    inside = np.clip(len(heat) / 2 - np.arange(len(heat)), 0, 1)
    if half == 1:
        inside = 1 - inside
    return label, float((heat * inside).sum() / (heat.sum() or 1))


def main() -> int:
    parser = argparse.ArgumentParser(prog="halves", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("backend/clip/model"), help="an exported model folder")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photographs, see photos.py")
    parser.add_argument("--part", choices=PARTS, required=True, help="of the photographs")
    parser.add_argument("--pictures", type=int, default=200, help="how many to make")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        photos = part_of(list_photos(arguments.photos), arguments.part)
        rows = measure(Recognizer(arguments.model), photos, arguments.pictures, arguments.seed)
    except (DataError, FileNotFoundError) as error:
        print(f"halves: {error}", file=sys.stderr)
        return 1
    print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
