"""How often a calibrated model is wrong: the table of docs/answers.md."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..recognition.recognizer import Ranking
from .calibration import calibration_error
from .truth import PARTS, Picture, Truth, Verdict

SURE = 0.9
"""The confidence from which on an answer calls itself sure."""
_NONE = "-"
_EVERYDAY = ("caltech101", "pets")


class Outcome(NamedTuple):
    """The answers to a picture."""

    picture: Picture
    kind: str | None
    """One of ``SHARES`` in ``calibrate.py``; None where it is unclear whether one of the hundred names it."""
    weight: float
    hundred: Ranking
    """The answer that chooses among the hundred labels."""
    everyday: Ranking
    pets: Ranking
    """The answer that chooses between cat and dog."""


Rows = list[tuple[str, str, str, str]]
"""What is measured, of which pictures, and the figures of the part that was fitted on and of the other."""


def figures(outcomes: Sequence[Outcome], truth: Truth) -> Rows:
    """The rows of the table."""
    parts = [[outcome for outcome in outcomes if outcome.picture.part == part] for part in PARTS]

    def row(what: str, of: str, chosen: Callable[[Outcome], bool], right: Callable[[Outcome], bool]) -> None:
        members = [[outcome for outcome in part if chosen(outcome)] for part in parts]
        shown = [f"{np.mean([right(outcome) for outcome in each]):.1%}" if each else _NONE for each in members]
        counts = " and ".join(f"{len(each):,}" for each in members)
        rows.append((what, f"{counts}, {of}" if of else counts, shown[0], shown[1]))

    def is_right(outcome: Outcome) -> bool:
        return _verdict(truth, outcome.hundred, outcome) is Verdict.RIGHT

    rows: Rows = []
    named, small = "named photographs", "named small images"
    row("it shows one of the hundred: the first label is right", "Caltech-101", lambda o: o.kind == named, is_right)
    row("… and recognized", "the same", lambda o: o.kind == named, lambda o: o.hundred.recognized)
    row(
        "it shows something else: recognized wrongly",
        "Caltech-101, Oxford pets",
        lambda o: o.kind == "other things",
        lambda o: o.hundred.recognized,
    )
    row("a texture: recognized", "DTD", lambda o: o.kind == "textures", lambda o: o.hundred.recognized)
    row(
        f"**a confidence of {SURE} or more, and wrong**",
        "such answers, of all these kinds",
        lambda o: o.kind not in (None, small) and o.hundred.confidence >= SURE,
        lambda o: _verdict(truth, o.hundred, o) is Verdict.WRONG,
    )
    row(
        "… of the right answers, so many have it",
        "",
        lambda o: o.kind == named and is_right(o),
        lambda o: o.hundred.confidence >= SURE,
    )
    row(
        "the best everyday word is the right one, or a general word for it",
        "Caltech-101, Oxford pets",
        lambda o: (
            bool(o.picture.source in _EVERYDAY and o.picture.words)
            and _verdict(truth, o.everyday, o) is not Verdict.UNCLEAR
        ),
        lambda o: _verdict(truth, o.everyday, o) is Verdict.RIGHT,
    )
    row(
        "`labels=cat,dog` on cats and dogs, right",
        "Oxford pets",
        lambda o: o.picture.source == "pets",
        lambda o: _verdict(truth, o.pets, o) is Verdict.RIGHT,
    )
    row("small images: the first label is right", "CIFAR-100 test", lambda o: o.kind == small, is_right)
    rows.append(_error(parts, truth))
    return rows


def _verdict(truth: Truth, ranking: Ranking, outcome: Outcome) -> Verdict:
    return truth.verdict(ranking.predictions[0].label, outcome.picture.words)


def _error(parts: Sequence[Sequence[Outcome]], truth: Truth) -> tuple[str, str, str, str]:
    shown, counts = [], []
    for part in parts:
        clear = [(o, _verdict(truth, o.hundred, o)) for o in part if o.weight]
        clear = [(outcome, verdict) for outcome, verdict in clear if verdict is not Verdict.UNCLEAR]
        counts.append(f"{len(clear):,}")
        error = calibration_error(
            np.array([outcome.hundred.confidence for outcome, _ in clear]),
            np.array([verdict is Verdict.RIGHT for _, verdict in clear]),
            np.array([outcome.weight for outcome, _ in clear]),
        )
        shown.append(f"{error:.3f}")
    return "confidence is off by, on average", f"{' and '.join(counts)}, all of these", shown[0], shown[1]


def print_figures(rows: Rows) -> None:
    """Print the table in Markdown."""
    heads = ("", "pictures, fitted on and not", "fitted on", "not fitted on")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(4)]
    for row in (heads, tuple("-" * width for width in widths), *rows):
        print("| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) + " |")
