"""Measures the everyday words: how often the first one is right, and whether it is as specific as it could be.

    python -m training.words --photos PHOTOS [PHOTOS ...] --part report [--vocabulary all]

A word is right for a photograph if it says what that shows, by its name or a synonym, is a general word for it, or a
kind of it of which nothing is known. Only photographs count that one of the model's words names. Those of ImageNet are
counted apart, see ``evaluate.py``. ``python -m training.composites measure`` measures ``tags=1``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backend.clip.export.words import Words, read_words
from backend.clip.recognition.recognizer import Recognizer
from training.answers import Answer, ask, by_model
from training.data import DataError
from training.evaluate import counted
from training.metrics import print_table
from training.photos import PARTS, Photo, list_photos, seen
from training.truth import Truth, known

VOCABULARIES = ("everyday", "all")


class Judged(NamedTuple):
    """An answer to a photograph."""

    right: bool
    general: bool
    """Whether the first word has more specific ones below it."""
    recognized: bool
    exact: bool
    """Whether it is as specific as what is known of the photograph, or more."""
    missed: bool
    """Whether it is right, and a word below it that is right as well is among the next ones."""
    levels: int
    """How many levels of words lie between it and what is known, where it is right."""


def judge(answer: Answer, truth: Truth, words: Words) -> Judged:
    first, *others = (words.index(label) for label in answer.labels)
    right = bool(truth.right[first])
    below = words.below[first]
    too_general = right and first != truth.word and bool(below[truth.word])
    return Judged(
        right=right,
        general=bool(words.height[first] > 0),
        recognized=answer.recognized,
        exact=right and not too_general,
        missed=too_general and any(below[word] and truth.right[word] for word in others),
        levels=_levels(words, first, truth.word) if too_general else 0,
    )


def _levels(words: Words, general: int, word: int) -> int:
    """The fewest steps from a word up to a more general one."""
    steps, reached = 0, {word}
    while general not in reached:
        steps, reached = steps + 1, {above for one in reached for above in words.above[one]}
    return steps


def measure(recognizer: Recognizer, photos: Sequence[Photo], vocabulary: str) -> list[tuple[str, str]]:
    """The rows of the table.

    Raises:
        DataError: none of the photographs shows what a word names.
    """
    words = read_words()
    shown = known(photos, words, recognizer.everyday)
    if not shown:
        raise DataError("none of these photographs shows what an everyday word names")
    bodies = (photo.path.read_bytes() for photo, _ in shown)
    answers = ask(by_model(recognizer), bodies, {"vocabulary": vocabulary}, vocabulary, len(shown))
    judged = [judge(answer, truth, words) for answer, (_, truth) in zip(answers, shown, strict=True)]
    rows = []
    for kind, of_kind in (("ImageNet", True), ("other", False)):
        counting = [one for one, (photo, _) in zip(judged, shown, strict=True) if seen(photo) == of_kind]
        if counting:
            rows += _rows(f"{kind} photographs ({len(counting)})", counting)
    return rows


def _rows(kind: str, judged: Sequence[Judged]) -> list[tuple[str, str]]:
    def share(which: Sequence[bool]) -> str:
        return f"{np.mean(which):.3f}"

    return [
        (f"{kind}: the first word is right", share([one.right for one in judged])),
        ("  a general word is first and wrong", share([one.general and not one.right for one in judged])),
        ("  … and recognized", share([one.general and not one.right and one.recognized for one in judged])),
        ("  a general word is first, and a right one below it among the next", share([one.missed for one in judged])),
        ("  right, and as specific as what is known", share([one.exact for one in judged])),
        ("  levels too general, mean of the right ones", f"{np.mean([one.levels for one in judged if one.right]):.2f}"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="training.words", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("backend/clip/model"), help="an exported model folder")
    parser.add_argument("--photos", type=Path, required=True, nargs="+", help="folders of photographs, see photos.py")
    parser.add_argument("--part", choices=PARTS, help="of photographs with an index")
    parser.add_argument("--vocabulary", choices=VOCABULARIES, default=VOCABULARIES[0])
    arguments = parser.parse_args()
    try:
        photos = [photo for folder in arguments.photos for photo in counted(list_photos(folder), arguments.part)]
        rows = measure(Recognizer(arguments.model, precision="f32"), photos, arguments.vocabulary)
    except (DataError, FileNotFoundError) as error:
        print(f"words: {error}", file=sys.stderr)
        return 1
    print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
