"""Calibrates a model for sets of labels that hold the right one, measures them, and compares ways to choose them.

    python -m training.coverage fit --model EXPORTED --photos PHOTOS [PHOTOS ...] --out CALIBRATION.json
    python -m training.coverage measure --model EXPORTED --photos PHOTOS [PHOTOS ...] --part report
    python -m training.coverage compare --model EXPORTED --photos PHOTOS [PHOTOS ...]

``fit`` writes the limits into the folder of the model, and its whole calibration into a file. It has to be repeated
when the model or its confidence has changed. It takes the part to choose on alone, and none of the photographs that the
model may have seen: it knows them too well.

``compare`` chooses limits on one half of the things in that part and counts on the other, for many halves.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.clip.deadline import Deadline
from backend.clip.errors import BadParameter
from backend.clip.export.coverage import fit_coverage
from backend.clip.manifest import Calibration
from backend.clip.photos.image import read_pixels
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Recognizer
from training.calibrations import put
from training.data import DataError
from training.evaluate import counted
from training.metrics import print_table
from training.photos import PARTS, Photo, list_photos, part_of, seen

LEVELS = (0.8, 0.9, 0.95)
COMPARED = 0.9
HALVES = 40
PENALTY = 0.1
"""Of RAPS, for each label of a set after the second."""
_SEEN, _CLEAN, _UNINDEXED = "ImageNet photographs", "clean photographs", "photographs without an index"

Floats = NDArray[np.float64]
Rows = list[tuple[str, str]]


class Judged(NamedTuple):
    """A photograph, and how likely each of the model's labels is to it, best first."""

    photo: Photo
    likelihoods: list[tuple[str, float]]

    @property
    def of_truth(self) -> float:
        return dict(self.likelihoods)[self.photo.label]

    @property
    def kind(self) -> str:
        return _UNINDEXED if not self.photo.source else _SEEN if seen(self.photo) else _CLEAN


def judge(recognizer: Recognizer, photos: Sequence[Photo]) -> list[Judged]:
    image = recognizer.manifest.image
    views = (recognizer.embed(read_pixels(photo.path.read_bytes(), image)) for photo in photos)
    return [Judged(photo, recognizer.likelihoods(view)) for photo, view in zip(photos, views, strict=True)]


def fit(judged: Sequence[Judged], calibration: Calibration) -> Calibration:
    """The same calibration with the limits that hold for these photographs.

    Raises:
        DataError: they are too few.
    """
    clean = [each for each in judged if each.kind == _CLEAN]
    named = [each for each in clean if each.photo.label]
    others = [each for each in clean if not each.photo.label]
    coverage = fit_coverage(
        np.array([each.of_truth for each in named]),
        np.array([each.likelihoods[0][1] for each in others]),
        f"calibrated on {len(named)} photographs of what the labels name, and {len(others)} of other things",
    )
    if coverage is None:
        raise DataError("these are too few photographs to calibrate on")
    return replace(calibration, coverage=coverage)


def measure(recognizer: Recognizer, judged: Sequence[Judged]) -> Rows:
    """The rows of the table: how often the sets hold what is right, and how large they are.

    Raises:
        BadParameter: the model is not calibrated for sets.
    """
    rows: Rows = []
    for level in LEVELS:
        query = Query(coverage=level)
        asked = recognizer.covered.asked(query, recognizer.candidates(query, Deadline.unlimited()))
        sets = [recognizer.covered.choose(level, each.likelihoods, asked) for each in judged]
        for kind in (_CLEAN, _SEEN, _UNINDEXED):
            of_kind = [(each, chosen) for each, chosen in zip(judged, sets, strict=True) if each.kind == kind]
            named = [(each.photo.label, chosen) for each, chosen in of_kind if each.photo.label]
            others = [chosen for each, chosen in of_kind if not each.photo.label]
            if named:
                sizes = [len(chosen.labels) for _, chosen in named]
                rows += [
                    (
                        f"coverage {level}, {kind} of the labels: held ({len(named)})",
                        _share([label in chosen.labels for label, chosen in named]),
                    ),
                    ("  labels in a set, median", f"{np.median(sizes):.0f}"),
                    ("  mean", f"{np.mean(sizes):.2f}"),
                    ("  may be something else", _share([chosen.something_else for _, chosen in named])),
                ]
            if others:
                rows += [
                    (
                        f"coverage {level}, {kind} of other things: may be something else ({len(others)})",
                        _share([chosen.something_else for chosen in others]),
                    ),
                    ("  and no label", _share([not chosen.labels for chosen in others])),
                ]
    return rows


def least_ambiguous(likelihoods: Floats) -> Floats:
    """The score of each label: a set has those with a score up to its limit."""
    return 1 - likelihoods


def adaptive(likelihoods: Floats, penalty: float = 0.0, free: int = 0) -> Floats:
    """The scores of adaptive prediction sets (APS), with a penalty for large ones (RAPS), without randomization.

    Args:
        likelihoods: [n, labels]; what is left of 1 is something else, which is ranked as a label is.
        penalty: for each label of a set after the first ``free``.
    """
    rest = np.maximum(0, 1 - likelihoods.sum(axis=1, keepdims=True))
    every = np.concatenate([likelihoods, rest], axis=1)
    every = every / every.sum(axis=1, keepdims=True)
    order = np.argsort(-every, axis=1, kind="stable")
    sizes = np.arange(1, every.shape[1] + 1)
    totals = np.cumsum(np.take_along_axis(every, order, axis=1), axis=1) + penalty * np.maximum(0, sizes - free)
    scores = np.empty_like(totals)
    np.put_along_axis(scores, order, totals, axis=1)
    return np.asarray(scores[:, :-1])


SCORES: dict[str, Callable[[Floats], Floats]] = {
    "least ambiguous": least_ambiguous,
    "adaptive (APS)": adaptive,
    f"regularized (RAPS, {PENALTY} after the second)": lambda likelihoods: adaptive(likelihoods, PENALTY, 2),
}


def compare(judged: Sequence[Judged], labels: Sequence[str], seed: int = 0) -> Rows:
    """The rows of the table: for each way to choose, the sets at ``COMPARED`` for photographs of the labels."""
    named = [each for each in judged if each.photo.label and each.kind == _CLEAN]
    likelihoods = np.array([[dict(each.likelihoods)[label] for label in labels] for each in named])
    truth = np.array([labels.index(each.photo.label) for each in named])
    # The order of the labels does not matter to the number of those in a set.
    others = np.array([[p for _, p in each.likelihoods] for each in judged if not each.photo.label])
    rng = np.random.default_rng(seed)
    halves = []
    for _ in range(HALVES):
        things = rng.permutation(np.unique(truth))
        halves.append(np.isin(truth, things[: things.size // 2]))
    rows: Rows = []
    for name, score in SCORES.items():
        scores, of_others = score(likelihoods), score(others)
        right = scores[np.arange(len(named)), truth]
        held, medians, means, empty = [], [], [], []
        for fitted in halves:
            rank = int(np.ceil(round(COMPARED * (fitted.sum() + 1), 6)))
            limit = np.sort(right[fitted])[min(rank, fitted.sum()) - 1]
            sizes = (scores[~fitted] <= limit).sum(axis=1)
            held.append((right[~fitted] <= limit).mean())
            medians.append(np.median(sizes))
            means.append(sizes.mean())
            empty.append(((of_others <= limit).sum(axis=1) == 0).mean())
        rows += [
            (f"{name}: held", f"{np.mean(held):.3f}"),
            ("  standard deviation between halves", f"{np.std(held):.3f}"),
            ("  labels in a set, median", f"{np.mean(medians):.2f}"),
            ("  mean", f"{np.mean(means):.2f}"),
            ("  other things: no label", f"{np.mean(empty):.3f}"),
        ]
    return rows


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="coverage", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=["fit", "measure", "compare"])
    parser.add_argument("--model", type=Path, default=Path("backend/clip/model"), help="an exported model folder")
    parser.add_argument("--photos", type=Path, required=True, nargs="+", help="folders of photographs, see photos.py")
    parser.add_argument("--part", choices=PARTS, help="to measure on one part of the photographs with an index")
    parser.add_argument("--out", type=Path, help="a JSON file to write the calibration to as well, by fit")
    arguments = parser.parse_args()
    try:
        recognizer = Recognizer(arguments.model)
        folders = [list_photos(folder) for folder in arguments.photos]
        if arguments.action == "measure":
            photos = [photo for folder in folders for photo in counted(folder, arguments.part)]
            print_table(measure(recognizer, judge(recognizer, photos)))
            return 0
        judged = judge(recognizer, [photo for folder in folders for photo in part_of(folder, PARTS[0])])
        if arguments.action == "compare":
            print_table(compare(judged, recognizer.manifest.labels))
            return 0
        calibration = fit(judged, recognizer.manifest.confidence)
    except (DataError, BadParameter, FileNotFoundError) as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 1
    put(calibration, recognizer.manifest, arguments.model, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
