"""Measures how well a model tells things apart that it has learned from a few photos.

    python -m training.examples --model backend/clip/model --photos PHOTOS [--part choose] [--source caltech101]

PHOTOS has an ``index.tsv`` (``photos.py``). 20 things of a part are learned from 1, 2, 5, 10 and 20 photos each, as far
as there are as many and three more; the other photographs of these things, and as many of other things, are the
judges. Each row is the mean of 20 draws. ``embedding`` is what a page or a program has; the nearest class mean over
embeddings is what the others are compared with.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.clip.export.drawn import drawn_pictures
from backend.clip.recognition.background import Background, Space, vector
from backend.clip.recognition.examples import RECOGNIZED, confidences
from backend.clip.recognition.recognizer import Recognizer
from training.background import LEAST_LEFT, Episode, Vectors, episodes, read_vectors
from training.data import DataError
from training.photos import PARTS, list_photos, part_of

THINGS = 20
PHOTOS = (1, 2, 5, 10, 20)
DRAWS = 20
_BINS = 15


class Figures(NamedTuple):
    top1: float
    recognized: float
    """The share of the photographs of learned things that are recognized, as whatever."""
    wrongly: float
    """The share of the photographs of other things that are recognized."""
    error: float
    """The expected calibration error, learned things and others counting half each."""


def figures(made: Sequence[Episode]) -> Figures:
    """What episodes show together."""
    best, sure, truth = [], [], []
    for episode in made:
        each = confidences(episode.odds)
        best.append(each.argmax(axis=1))
        sure.append(each.max(axis=1))
        truth.append(episode.truth)
    right, confident = np.concatenate(best) == np.concatenate(truth), np.concatenate(sure)
    known = np.concatenate(truth) >= 0
    weights = np.where(known, 0.5 / known.sum(), 0.5 / (~known).sum())
    return Figures(
        right[known].mean(),
        (confident[known] >= RECOGNIZED).mean(),
        (confident[~known] >= RECOGNIZED).mean(),
        _calibration_error(confident, right, weights),
    )


def _calibration_error(confident: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    bins = np.minimum((confident * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights * (confident - right), _BINS)
    return float(np.abs(gaps).sum())


def nearest_mean(vectors: Vectors, count: int, source: str) -> float:
    """Top-1 of the nearest class mean over the embeddings of the photographs as they are, less the mean of all."""
    plain = Background(vectors.image.mean(axis=0), np.array([1.0, 0.0, 0.0]))
    made = episodes(vectors._replace(views=vectors.image), plain, DRAWS, (count,), (THINGS,), source)
    return figures(made).top1


def main() -> int:
    parser = argparse.ArgumentParser(prog="training.examples", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("backend/clip/model"), help="an exported model folder")
    parser.add_argument("--photos", required=True, type=Path, help="photographs, with index.tsv")
    parser.add_argument("--part", choices=[*PARTS, "all"], default="report", help="of the photographs")
    parser.add_argument("--source", default="", help="learn only things whose source begins so")
    arguments = parser.parse_args()
    try:
        photos = list_photos(arguments.photos)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    photos = photos if arguments.part == "all" else part_of(photos, arguments.part)
    recognizer = Recognizer(arguments.model, precision="f32")
    spaces: list[Space] = ["classes", "embedding"] if recognizer.has_classes else ["embedding"]
    vectors = read_vectors(recognizer, photos, spaces)
    pictures = drawn_pictures(*recognizer.manifest.image.size)
    drawn = np.array([vector(recognizer.embed(each), "embedding") for each in pictures])
    print("photos  compared by                        top-1  recognized  others wrongly  calibration error")
    for count in PHOTOS:
        _, sizes = np.unique(vectors["embedding"].things, return_counts=True)
        if (sizes >= count + LEAST_LEFT).sum() < THINGS:
            break
        baseline = nearest_mean(vectors["embedding"], count, arguments.source)
        print(f"{count:6}  {'embedding, nearest class mean':33}  {baseline:.3f}")
        for space in spaces:
            background = Background.read(arguments.model, space)
            if background is not None:
                made = episodes(vectors[space], background, DRAWS, (count,), (THINGS,), arguments.source)
                _print(count, f"{space}, measured background", figures(made))
        made = episodes(vectors["embedding"], None, DRAWS, (count,), (THINGS,), arguments.source, drawn)
        _print(count, "embedding, no background", figures(made))
    return 0


def _print(count: int, what: str, said: Figures) -> None:
    judged = f"{said.top1:.3f}  {said.recognized:10.3f}  {said.wrongly:14.3f}  {said.error:17.3f}"
    print(f"{count:6}  {what:33}  {judged}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
