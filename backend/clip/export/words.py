"""The everyday words: what people photograph in plain English, and which of them are kinds of others.

``everyday.txt`` is an outline, and its first lines explain it. A word may be below several others, so the words form
a directed acyclic graph. What is said of a word here holds for the words below it as well. The fine classes of a word
are ImageNet's (0 to 999, ILSVRC-2012) and, for each of the hundred labels, 1000 plus its position in ``LABELS``, for
models that have an output of their own for the labels.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .cifar100 import LABELS

IMAGENET_CLASSES = 1000
_FILE = Path(__file__).with_name("everyday.txt")
_LINE = re.compile(
    r"(?P<indent> *)(?P<name>[^/=<~]+?)(?: / (?P<also>[^=<~]+?))?(?: = (?P<classes>[\d, -]+?))?"
    r"(?: < (?P<above>[^~]+?))?(?: ~ (?P<beside>.+))?"
)


@dataclass(frozen=True)
class Words:
    """The everyday words, in the order of the file; n of them."""

    names: tuple[str, ...]
    also: tuple[tuple[str, ...], ...]
    """Other names of each word."""
    above: tuple[tuple[int, ...], ...]
    """The words that each is directly a kind of, that of the outline first."""
    own: tuple[frozenset[int], ...]
    """The fine classes of each word that belong to no word below it."""
    below: NDArray[np.bool_]
    """bool [n, n]: whether the word of the column is that of the row, or a kind of it."""
    beside: NDArray[np.bool_]
    """bool [n, n], symmetric: whether both words may fit one picture, though neither is a kind of the other."""

    def index(self, name: str) -> int:
        """The position of a word; ValueError where there is none of this name."""
        return self.names.index(name)

    @cached_property
    def related(self) -> NDArray[np.bool_]:
        """bool [n, n], symmetric: whether both words may be right for one thing, so that they do not compete.

        One is the other or a kind of it, or they are ``beside`` each other, or kinds of words that are.
        """
        related = self.below | self.below.T
        for one, other in np.argwhere(self.beside):
            related |= np.outer(self.below[one], self.below[other])
        return related

    @cached_property
    def height(self) -> NDArray[np.int64]:
        """int64 [n]: the levels of words below each word; 0 for one that has no kinds here."""
        height = np.zeros(len(self.names), np.int64)
        kinds = self.below & ~np.eye(len(height), dtype=bool)
        for _ in self.names:
            higher = np.where(kinds.any(1), 1 + np.where(kinds, height, -1).max(1), 0)
            if (higher == height).all():
                break
            height = higher
        return height

    def top(self, word: int) -> int:
        """The first of the words with none above them that this word is, or is a kind of."""
        return int((self.below[:, word] & self._without_above).argmax())

    @cached_property
    def _without_above(self) -> NDArray[np.bool_]:
        """bool [n]: whether a word is a kind of no other."""
        return np.asarray(self.below.sum(0) == 1)

    def classes(self, word: int) -> tuple[int, ...]:
        """The fine classes of a word, ascending: its own and those of its kinds."""
        return self._classes_of(self.below[word])

    def compatible(self, word: int) -> tuple[int, ...]:
        """The fine classes, ascending, of the pictures for which the word may be right: those of all related words. The
        others compete with it."""
        return self._classes_of(self.related[word])

    def _classes_of(self, words: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(sorted(frozenset().union(*(self.own[i] for i in np.flatnonzero(words)))))


def read_words(path: Path = _FILE) -> Words:
    """Read the everyday words.

    Raises:
        ValueError: a line cannot be read, a name stands for two words, or a word that a line refers to is missing.
    """
    rows: list[re.Match[str]] = []
    parents: list[int | None] = []
    open_rows: list[int] = []
    for number, line in _lines(path):
        match = _LINE.fullmatch(line)
        level = -1 if match is None else len(match["indent"]) / 2
        if match is None or level not in range(len(open_rows) + 1):
            raise ValueError(f"{path.name}, line {number}: cannot be read: {line.strip()}")
        open_rows[int(level) :] = [len(rows)]
        rows.append(match)
        parents.append(open_rows[-2] if len(open_rows) > 1 else None)
    names = tuple(row["name"] for row in rows)
    also = tuple(tuple(_parts(row["also"])) for row in rows)
    every = [*names, *(name for others in also for name in others)]
    if twice := sorted({name for name in every if every.count(name) > 1}):
        raise ValueError(f"{path.name}: these stand for two words: {', '.join(twice)}")
    position = {name: i for i, name in enumerate(names)}
    below, beside = np.eye(len(rows), dtype=bool), np.zeros((len(rows), len(rows)), bool)
    direct: list[tuple[int, ...]] = []
    for i, (row, parent) in enumerate(zip(rows, parents, strict=True)):
        further = [position.get(name) for name in _parts(row["above"])]
        others = [position.get(name) for name in _parts(row["beside"])]
        if None in further or None in others:
            raise ValueError(f"{path.name}: {row['name']} refers to a word that is not there")
        direct.append(tuple(j for j in (parent, *further) if j is not None))
        below[list(direct[i]), i] = True
        for j in others:
            beside[i, j] = beside[j, i] = True
    return Words(names, also, tuple(direct), tuple(_own(row) for row in rows), _with_kinds(below), beside)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _parts(text: str | None) -> list[str]:
    return text.split(", ") if text else []


def _own(row: "re.Match[str]") -> frozenset[int]:
    classes: set[int] = set()
    for part in _parts(row["classes"]):
        first, _, last = part.partition("-")
        classes.update(range(int(first), int(last or first) + 1))
    if row["name"] in LABELS:
        classes.add(IMAGENET_CLASSES + LABELS.index(row["name"]))
    return frozenset(classes)


def _with_kinds(below: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The transitive closure of a reflexive relation, bool [n, n], in as many rounds as the outline has levels."""
    while True:
        further = np.stack([below[row].any(0) for row in below])
        if (further == below).all():
            return below
        below = further
