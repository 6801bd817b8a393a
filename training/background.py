"""Measures what photographs look like to a model, so that its likeness to examples means something.

    python -m training.background --model EXPORTED --photos PHOTOS --out background.npz

PHOTOS has an ``index.tsv`` (``photos.py``); only the part to choose on counts. The file belongs into the model folder,
and its SHA-256 among ``files`` of ``model.json``; ``--install`` puts both there.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.clip.manifest import Manifest, hashes
from backend.clip.photos.image import read_pixels
from backend.clip.recognition.background import FILE, Background, Space, vector
from backend.clip.recognition.examples import Examples, confidences
from backend.clip.recognition.recognizer import Recognizer
from training.data import DataError
from training.photos import Photo, list_photos, part_of

MOST_OF_A_THING = 10
"""So many photographs of one thing count as one each, more of them as so many together."""
PHOTOS, THINGS = (1, 2, 5), (1, 2, 5, 20)
EPISODES = 6
LEAST_LEFT = 3
OTHERS = 30
_START = np.array([19.0, -8.0, 1.0])
_UNFITTED = np.array([1.0, 0.0, 0.0])


class Vectors(NamedTuple):
    """What photographs are compared by."""

    image: NDArray[np.float64]
    """float64 [photos, dim], of each as it is."""
    views: NDArray[np.float64]
    """float64 [photos, dim], the mean of it and its mirror image, by which it is learned."""
    things: NDArray[np.str_]
    """[photos], the source and what each shows."""


class Episode(NamedTuple):
    """Some things that were learned, and photographs that were not."""

    learned: Examples
    odds: NDArray[np.float64]
    """float64 [queries, things]"""
    truth: NDArray[np.intp]
    """[queries], the thing that each shows, -1 for none of them."""


def read_vectors(recognizer: Recognizer, photos: Sequence[Photo], spaces: Sequence[Space]) -> dict[Space, Vectors]:
    """Look at photographs, in each of the spaces."""
    rows: dict[Space, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {space: [] for space in spaces}
    for photo in photos:
        pixels = read_pixels(photo.path.read_bytes(), recognizer.manifest.image)
        upright, mirrored = (recognizer.embed(np.ascontiguousarray(view)) for view in (pixels, pixels[:, ::-1]))
        for space in spaces:
            one, other = vector(upright, space), vector(mirrored, space)
            rows[space].append((one, (one + other) / 2))
    things = np.array([f"{photo.source}:{photo.what}" for photo in photos])
    return {
        space: Vectors(np.array([one for one, _ in each]), np.array([both for _, both in each]), things)
        for space, each in rows.items()
    }


def measure(vectors: Vectors) -> Background:
    """The mean of photographs, and the weights that fit best where it is the mean of photographs of other things."""
    _, number = np.unique(vectors.things, return_inverse=True)
    made = []
    for fold in (0, 1):
        here, there = (Vectors(*(each[number % 2 == part] for each in vectors)) for part in (fold, 1 - fold))
        made += episodes(here, Background(mean(there), _UNFITTED), EPISODES, PHOTOS, THINGS)
    return Background(mean(vectors), fit_weights(made))


def mean(vectors: Vectors) -> NDArray[np.float64]:
    """float64 [dim], the mean over things, of which none counts for more than ``MOST_OF_A_THING`` photographs."""
    _, inverse, counts = np.unique(vectors.things, return_inverse=True, return_counts=True)
    shares = np.minimum(counts, MOST_OF_A_THING)[inverse] / counts[inverse]
    return np.asarray(shares @ vectors.image / shares.sum())


def episodes(
    vectors: Vectors,
    background: Background | None,
    count: int,
    photos: Sequence[int],
    things: Sequence[int],
    source: str = "",
    drawn: NDArray[np.float64] | None = None,
) -> list[Episode]:
    """Learn some of the things, and look at other photographs of them and at as many of other things.

    Args:
        photos, things: how many photos of how many things are learned: each combination ``count`` times.
        background: of the model; None for what is known without photographs, which ``drawn`` is needed for.
        source: only things are learned whose source begins so.
        drawn: float64 [m, dim], ``vector`` of drawn pictures.

    Raises:
        DataError: of no thing there are enough photographs.
    """
    random = np.random.default_rng(0)
    names, sizes = np.unique(vectors.things, return_counts=True)
    enough = sizes >= max(photos) + LEAST_LEFT
    eligible = [name for name in names[enough] if name.startswith(source)]
    if not eligible:
        raise DataError(f"these are too few photographs: of some things there have to be {max(photos) + LEAST_LEFT}")
    made = []
    for number, each in [(n, k) for _ in range(count) for k in photos for n in things]:
        chosen = random.permutation(eligible)[: min(number, len(eligible))]
        learned, queries, truth = [], [], []
        for thing, name in enumerate(chosen):
            own = random.permutation(np.flatnonzero(vectors.things == name))
            learned.append(vectors.views[own[:each]])
            queries += own[each:].tolist()
            truth += [thing] * (len(own) - each)
        # The same thing may be in another source.
        shown = {name.partition(":")[2].lower() for name in chosen}
        others = [row for row, name in enumerate(vectors.things) if name.partition(":")[2].lower() not in shown]
        others = random.permutation(others)[: max(OTHERS, len(queries))].tolist()
        known = background
        if known is None:
            assert drawn is not None  # noqa: S101
            known = Background.without_photographs(np.array([each.mean(axis=0) for each in learned]), drawn)
        examples = Examples.learned(chosen.tolist(), learned, "embedding", known)
        odds = np.array([examples.log_odds_of(vectors.image[row]) for row in [*queries, *others]])
        made.append(Episode(examples, odds, np.array([*truth, *([-1] * len(others))])))
    return made


def fit_weights(made: Sequence[Episode]) -> NDArray[np.float64]:
    """The weights with the least logarithmic loss; things and everything else count half each.

    Args:
        made: with the weights 1, 0, 0, so that the log-odds are the likeness.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped] # a second to import

    def loss(weights: NDArray[np.float64]) -> float:
        total = 0.0
        for learned, likeness, truth in made:
            odds = weights[0] * likeness + weights[1] + weights[2] / learned.counts
            sure = confidences(odds)
            right = np.where(truth >= 0, sure[np.arange(len(truth)), truth], 1 - sure.sum(axis=1))
            losses = -np.log(np.maximum(right, 1e-12))
            total += (losses[truth >= 0].mean() + losses[truth < 0].mean()) / 2
        return total / len(made)

    return np.asarray(minimize(loss, _START, method="Nelder-Mead").x)


def of_photos(recognizer: Recognizer, photos: Sequence[Photo]) -> dict[str, NDArray[np.generic]]:
    """The arrays of the file, by their names: float32 [dim] and float64 [3] for each space that the model has."""
    spaces: list[Space] = ["classes", "embedding"] if recognizer.has_classes else ["embedding"]
    arrays: dict[str, NDArray[np.generic]] = {}
    for space, vectors in read_vectors(recognizer, photos, spaces).items():
        background = measure(vectors)
        arrays |= {
            f"{space}_center": background.center.astype(np.float32),
            f"{space}_weights": background.weights.round(4),
        }
    return arrays


def install(arrays: Mapping[str, NDArray[np.generic]], model: Path) -> None:
    """Put the file into the folder of an exported model, and its hash among ``files`` of ``model.json``."""
    np.savez_compressed(model / FILE, **arrays)  # type: ignore[arg-type]
    manifest = Manifest.read(model)
    replace(manifest, files={**manifest.files, **hashes(model, [FILE])}).write(model)


def main() -> int:
    parser = argparse.ArgumentParser(prog="training.background", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True, type=Path, help="an exported model folder")
    parser.add_argument("--photos", required=True, type=Path, help="photographs, with index.tsv")
    parser.add_argument("--out", required=True, type=Path, help="the file to write")
    parser.add_argument("--install", action="store_true", help="put it into the model folder, too")
    arguments = parser.parse_args()
    try:
        photos = part_of(list_photos(arguments.photos), "choose")
        arrays = of_photos(Recognizer(arguments.model, precision="f32"), photos)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, array in arrays.items():
        if name.endswith("_weights"):
            print(f"{name}: {array.tolist()}")
    np.savez_compressed(arguments.out, **arrays)  # type: ignore[arg-type]
    if arguments.install:
        install(arrays, arguments.model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
