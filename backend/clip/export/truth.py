"""Which answers are right for the pictures of the public sets, and which part of them a picture belongs to."""

import random
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from .public_sets import Pictures
from .words import Words

PARTS = ("fit", "report")
"""The first is what everything is fitted on, the second what figures are reported of. They share no class."""

_PER_CLASS = {"cifar100": 20, "caltech101": 40, "pets": 30, "dtd": 20}
"""So many pictures of each class count, at most."""
# The words for classes that have another name in a set, or none: what may be said of them is a more general word. Those
# without a word are something else, whatever an answer says.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "airplanes": ("airplane",), "bass": ("fish",), "binocular": ("binoculars",), "brontosaurus": ("dinosaur",),
    "buddha": ("statue",), "car side": ("car",), "ceiling fan": ("fan",), "cougar body": ("cougar",),
    "cougar face": ("cougar",), "crocodile head": ("crocodile",), "dollar bill": ("money",),
    "euphonium": ("musical instrument",), "ewer": ("pitcher",), "Faces": ("person",), "Faces easy": ("person",),
    "flamingo head": ("flamingo",), "garfield": ("cartoon",), "gerenuk": ("antelope",), "hawksbill": ("sea turtle",),
    "headphone": ("headphones",), "joshua tree": ("tree",), "Leopards": ("leopard",), "mayfly": ("insect",),
    "minaret": ("tower",), "Motorbikes": ("motorcycle",), "okapi": ("mammal",), "pyramid": ("building",),
    "sea horse": ("seahorse",), "snoopy": ("cartoon",), "stegosaurus": ("dinosaur",), "water lilly": ("water lily",),
    "wild cat": ("mammal",), "windsor chair": ("chair",),
    "banded": ("texture", "stripes"), "cobwebbed": ("texture", "spider web"), "grid": ("texture",),
    "honeycombed": ("texture", "honeycomb"), "knitted": ("texture", "textile"), "lined": ("texture", "stripes"),
    "striped": ("texture", "stripes"), "waffled": ("texture", "pancake"), "woven": ("texture", "textile"),
    "zigzagged": ("texture", "stripes"),
}  # fmt: skip


class Verdict(Enum):
    """What an answer is, for a picture."""

    RIGHT = "right"
    WRONG = "wrong"
    UNCLEAR = "unclear"
    """The set does not say: the answer is a kind of what the class names, or beside it."""


class Picture(NamedTuple):
    """A picture of a set that counts."""

    source: str
    """The set's name in ``SETS``."""
    position: int
    """Its position in the set."""
    shows: str
    """As the set calls it."""
    words: frozenset[int]
    """The everyday words for it, as positions in ``Words``; none where there is no word."""
    part: str
    """One of ``PARTS``."""


class Truth:
    """Tells right from wrong by the everyday words."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._positions = {
            name.casefold(): position
            for position, (word, also) in enumerate(zip(words.names, words.also, strict=True))
            for name in (*also, word)
        }

    def shown(self, source: str, name: str) -> frozenset[int]:
        """The words for a class of a set."""
        plain = name.replace("_", " ")
        if source == "pets":  # "Persian, cat"
            breed, _, kind = plain.partition(", ")
            names: tuple[str, ...] = next(
                ((each,) for each in (breed, f"{breed} {kind}", kind) if each.casefold() in self._positions), ()
            )
        else:
            names = _WORDS.get(plain, ("texture",) if source == "dtd" else (plain,))
        return frozenset(self._positions[each.casefold()] for each in names if each.casefold() in self._positions)

    def verdict(self, label: str, shown: frozenset[int]) -> Verdict:
        """Of a label that is an everyday word, for a picture that shows ``shown``."""
        word = self._positions[label.casefold()]
        if any(self._words.below[word, each] for each in shown):
            return Verdict.RIGHT
        return Verdict.UNCLEAR if any(self._words.related[word, each] for each in shown) else Verdict.WRONG

    def verdict_of_any(self, labels: Sequence[str], shown: frozenset[int]) -> Verdict:
        """The best verdict that one of the labels can have: whether they name the picture at all."""
        found = {self.verdict(label, shown) for label in labels}
        return next(each for each in (Verdict.RIGHT, Verdict.UNCLEAR, Verdict.WRONG) if each in found)


def sample(sets: Sequence[Pictures], truth: Truth, labels: Sequence[str], seed: int = 0) -> list[Picture]:
    """The pictures that count, each class in one of the two parts.

    Classes that the labels name are divided by label, so that a thing that is in two sets is in one part; the labels
    of photographs first, every other one in each part. All other classes are divided within their set, and those of
    which it is unclear whether a label names them apart, as they count for nothing.

    Args:
        labels: what the calibration asks for.
    """
    shown = {(each.name, name): truth.shown(each.name, name) for each in sets for name in dict.fromkeys(each.classes)}
    named = {key: _label_of(truth, labels, words) for key, words in shown.items()}
    photographed = {label for (source, _), label in named.items() if source != "cifar100" and label}
    ordered = sorted({label for label in named.values() if label}, key=lambda label: (label not in photographed, label))
    parts: dict[tuple[str, str], str] = {}
    for each in sets:
        others: dict[Verdict, list[str]] = {}
        for name in sorted(set(each.classes)):
            if label := named[each.name, name]:
                position = ordered.index(label)
            else:
                alike = others.setdefault(truth.verdict_of_any(labels, shown[each.name, name]), [])
                position = len(alike)
                alike.append(name)
            parts[each.name, name] = PARTS[position % 2]
    return [
        Picture(each.name, index, name, shown[each.name, name], parts[each.name, name])
        for each in sets
        for name, indices in _chosen(each, seed)
        for index in indices
    ]


def _label_of(truth: Truth, labels: Sequence[str], shown: frozenset[int]) -> str | None:
    return next((label for label in labels if truth.verdict(label, shown) is Verdict.RIGHT), None)


def _chosen(pictures: Pictures, seed: int) -> list[tuple[str, list[int]]]:
    members: dict[str, list[int]] = {}
    for index, name in enumerate(pictures.classes):
        members.setdefault(name, []).append(index)
    rng, most = random.Random(seed), _PER_CLASS[pictures.name]  # noqa: S311
    return [(name, sorted(rng.sample(members[name], min(most, len(members[name]))))) for name in sorted(members)]
