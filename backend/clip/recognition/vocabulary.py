"""The everyday words of an exported model folder: how they are found by name, and how an image is compared with them.

There are two ways. ``FineClasses``: the image tower has a second output, the logits of fine classes, and a word is a
set of these. ``WordEmbeddings``: each word has an embedding by the text tower, as any label has.
"""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .candidates import NO_EMBEDDINGS, Candidates, View
from .kinds import Kinds
from .languages import Languages
from .spelling import Names

FILE = "everyday.json"
EMBEDDINGS = "everyday.npy"
LABEL_EMBEDDINGS = "labels.npy"
# Of each word in ``everyday.json``, see ``export/vocabulary.py``; the others where words are sets of fine classes.
_KEYS = {"word", "also", "height", "above", "group", "related"}
_KEYS_OF_CLASSES = {"classes", "compatible"}
NEAREST = 0.98
"""A label that is not an everyday word competes with all words but the 2 % that are nearest to it."""
_OTHER = "other"
_LEAST_RIVAL = 1e-12


class Everyday(ABC):
    """The everyday words, n of them."""

    languages: Languages
    """What the words are called in other languages."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """``entries`` as ``everyday.json`` has them, see ``export/vocabulary.py``."""
        self.words = tuple(entry["word"] for entry in entries)
        self.heights = np.array([entry["height"] for entry in entries], np.float64)
        """float64 [n], the levels of more specific words below each."""
        self._entries = entries

    @staticmethod
    def read(folder: Path, logit_scale: float) -> "Everyday":
        """Read the words of an exported model folder.

        Raises:
            FileNotFoundError: it has none.
            ValueError: another version of this project exported it.
        """
        entries = json.loads((folder / FILE).read_text(encoding="utf-8"))["words"]
        has_embeddings = (folder / EMBEDDINGS).exists()
        keys = _KEYS if has_embeddings else _KEYS | _KEYS_OF_CLASSES
        if any(entry.keys() != keys for entry in entries):
            raise ValueError(f"{folder / FILE} was exported by another version: export the model again.")
        words: Everyday
        if has_embeddings:
            words = WordEmbeddings(entries, np.load(folder / EMBEDDINGS), logit_scale)
        else:
            words = FineClasses(entries)
        words.languages = Languages(folder)
        return words

    def named(self, labels: Sequence[str], embeddings: NDArray[np.float32]) -> Candidates:
        """Labels as candidates.

        Args:
            embeddings: float32 [labels, dim], rows of unit length.
        """
        return Candidates(labels, np.array([self.find(label) for label in labels], np.intp), embeddings)

    def chosen(self, candidates: Candidates) -> Candidates:
        """Candidates that a caller has chosen: general and specific words, each as likely as the others."""
        return candidates

    def own(self, labels: Sequence[str], folder: Path) -> Candidates:
        """The model's own labels as candidates. The folder has their embeddings where they are needed."""
        return self.named(labels, np.load(folder / LABEL_EMBEDDINGS))

    @property
    @abstractmethod
    def candidates(self) -> Candidates:
        """All words, as candidates."""

    def everything(self, own: Candidates) -> Candidates:
        """The model's own labels and, after them, all words that are not among these, as candidates."""
        others = np.setdiff1d(self.candidates.words, own.words)
        embeddings = self.candidates.embeddings
        return Candidates(
            [*own.labels, *(self.words[word] for word in others)],
            np.concatenate([own.words, others]),
            np.concatenate([own.embeddings, embeddings[others]]) if embeddings.size else NO_EMBEDDINGS,
            overlapping=True,
        )

    def path(self, word: int) -> tuple[int, ...]:
        """The more general words above a word in the outline, most general first."""
        path: list[int] = []
        while above := self._entries[word]["above"]:
            word = above[0]
            path.append(word)
        return tuple(reversed(path))

    @abstractmethod
    def logits(self, view: View) -> NDArray[np.float64]:
        """float64 [n], the logit of each word for the image; their scale differs between models."""

    @abstractmethod
    def total(self, view: View, words: NDArray[np.float64]) -> float:
        """The logit of all that an image may show, taken together: no word has a larger one.

        Args:
            words: ``logits(view)``.
        """

    @abstractmethod
    def log_odds(self, view: View, words: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [n], how much larger each word's logit is than that of all together which competes with it.

        Args:
            words: ``logits(view)``.
        """

    def alone(self, word: int) -> bool:
        """Whether a word's confidence is what it is by itself, whatever its kinds have."""
        return False

    @property
    def summed(self) -> NDArray[np.bool_]:
        """bool [n], the words of which nothing but their kinds is known."""
        return np.zeros(len(self.words), bool)

    @cached_property
    def kinds(self) -> Kinds:
        """Which words are kinds of which."""
        return Kinds([entry["above"] for entry in self._entries], self.heights, self.summed)

    @abstractmethod
    def rivals(
        self, view: View, words: NDArray[np.float64], candidates: Candidates, logits: NDArray[np.float64], best: int
    ) -> tuple[float, NDArray[np.float64]]:
        """Find what competes with the best candidate.

        Args:
            words: ``logits(view)``.
            logits: float64 [labels], of the candidates.
            best: the position of the best candidate.

        Returns:
            The best candidate's logit and those of all that competes with it, on one scale.
        """

    @abstractmethod
    def direction(self, view: View, candidates: Candidates, best: int) -> NDArray[np.floating]:
        """The direction in which a change of the tower's output makes a candidate most likely.

        Args:
            view: of the image; ``candidates`` and ``best`` as for ``rivals``.

        Returns:
            [dim] or, where words are compared by their fine classes, [classes]: that of the candidate less that of the
            average word. What speaks for all words alike, speaks for none.
        """

    def groups(self, labels: Sequence[str]) -> dict[str, list[str]]:
        """Labels by the most general word above each, for people to read; ``other`` has those that would be alone."""
        groups: dict[str, list[str]] = {}
        for label in labels:
            word = self.find(label)
            groups.setdefault(self._entries[word]["group"] if word >= 0 else _OTHER, []).append(label)
        alone = [name for name, group in groups.items() if len(group) == 1 and name != _OTHER]
        others = [label for name in alone for label in groups.pop(name)]
        if others:
            groups[_OTHER] = groups.pop(_OTHER, []) + others
        return dict(sorted(groups.items(), key=lambda item: (item[0] == _OTHER, -len(item[1]))))

    def find(self, name: str) -> int:
        """The position of the word with this name, in upper or lower case, singular or plural; -1 for none."""
        return self._names.find(name)

    def near(self, name: str) -> list[str]:
        """Up to three words that are spelled much like ``name`` in any language, in that language, best first."""
        others = {key: word for key, (word, english) in self.languages.like(name).items() if self.find(english) >= 0}
        return self._names.near(name, others)

    @cached_property
    def _names(self) -> Names:
        return Names([entry["word"], *entry["also"]] for entry in self._entries)


class FineClasses(Everyday):
    """A word's probability is the sum of those of its fine classes."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(entries)
        sets = [entry["classes"] for entry in entries]
        self._sizes = np.array([len(members) for members in sets])
        self._members = np.concatenate([np.array(members, np.intp) for members in sets])
        self._starts = np.cumsum([0, *(len(members) for members in sets[:-1])])
        # The classes that do not compete with a word, less its own; -1, for none, keeps each of these sets filled.
        others = [[-1, *sorted({*entry["compatible"]} - {*entry["classes"]})] for entry in entries]
        self._beside = np.concatenate([np.array(classes, np.intp) for classes in others])
        self._beside_starts = np.cumsum([0, *(len(classes) for classes in others[:-1])])
        self._alone: dict[int, bool] = {}

    @cached_property
    def candidates(self) -> Candidates:
        return Candidates(self.words, np.arange(len(self.words)), NO_EMBEDDINGS, overlapping=True)

    def named(self, labels: Sequence[str], embeddings: NDArray[np.float32]) -> Candidates:
        """All labels of such a model are everyday words, so their embeddings are not needed."""
        return super().named(labels, NO_EMBEDDINGS)

    def chosen(self, candidates: Candidates) -> Candidates:
        """Correct for how many fine classes each word has.

        The model learned from as many pictures of each class. So a word with many of them is likely to it before it has
        seen the picture: "dog" has 118, "cat" 5. Half of the logarithm of that number is subtracted from the logit; all
        of it would be right if the classes of a word were equally likely.
        """
        return replace(candidates, offsets=-0.5 * np.log(self._sizes[candidates.words]))

    def own(self, labels: Sequence[str], folder: Path) -> Candidates:
        return self.named(labels, NO_EMBEDDINGS)

    def logits(self, view: View) -> NDArray[np.float64]:
        most = view.classes.max()
        # Bounded from below, as zero has no logarithm.
        exponents = np.exp(np.maximum(view.classes - most, -700))
        sums = np.add.reduceat(exponents[self._members], self._starts)
        return np.asarray(np.log(sums) + most)

    def total(self, view: View, words: NDArray[np.float64]) -> float:
        return _log_sum(view.classes)

    def log_odds(self, view: View, words: NDArray[np.float64]) -> NDArray[np.float64]:
        most = view.classes.max()
        exponents = np.exp(view.classes - most)
        # A word's own classes are in ``words``; few others do not compete with it.
        compatible = np.exp(words - most) + np.add.reduceat(np.append(exponents, 0)[self._beside], self._beside_starts)
        return np.asarray(words - most - np.log(np.maximum(exponents.sum() - compatible, _LEAST_RIVAL)))

    def alone(self, word: int) -> bool:
        """What competes with the word competes with its kinds as well, and it is not held down by the clearest one."""
        if word not in self._alone:
            compatible = {*self._entries[word]["compatible"]}
            self._alone[word] = not self.kinds.needs_clear_kind(word) and all(
                compatible.issuperset(self._entries[kind]["compatible"]) for kind in self.kinds.below(word)
            )
        return self._alone[word]

    @property
    def summed(self) -> NDArray[np.bool_]:
        of_kinds: list[set[int]] = [set() for _ in self._entries]
        for entry in self._entries:
            for general in entry["above"]:
                of_kinds[general] |= set(entry["classes"])
        return np.array([{*e["classes"]} == kinds for e, kinds in zip(self._entries, of_kinds, strict=True)])

    def rivals(
        self, view: View, words: NDArray[np.float64], candidates: Candidates, logits: NDArray[np.float64], best: int
    ) -> tuple[float, NDArray[np.float64]]:
        word = candidates.words[best]
        competing = np.ones(len(view.classes), bool)
        competing[self._entries[word]["compatible"]] = False
        return float(words[word]), view.classes[competing]

    def direction(self, view: View, candidates: Candidates, best: int) -> NDArray[np.floating]:
        """The gradient of the word's logit less the mean of all classes'."""
        members = self._entries[candidates.words[best]]["classes"]
        exponents = np.exp(view.classes[members] - view.classes[members].max())
        direction = np.full(len(view.classes), -1 / len(view.classes))
        direction[members] += exponents / exponents.sum()
        return direction


class WordEmbeddings(Everyday):
    """A word's logit is that of any label: logit scale times cosine."""

    def __init__(
        self, entries: Sequence[Mapping[str, Any]], embeddings: NDArray[np.float32], logit_scale: float
    ) -> None:
        """``embeddings`` float32 [n, dim], rows of unit length."""
        super().__init__(entries)
        self._embeddings = embeddings
        self._logit_scale = logit_scale

    @cached_property
    def candidates(self) -> Candidates:
        return Candidates(self.words, np.arange(len(self.words)), self._embeddings, overlapping=True)

    def logits(self, view: View) -> NDArray[np.float64]:
        # A matrix product of 1,000 rows would start BLAS threads, which spin on the processors that OpenVINO needs.
        cosines: NDArray[np.float32] = np.vecdot(self._embeddings, view.embedding)
        return self._logit_scale * cosines.astype(np.float64)

    def total(self, view: View, words: NDArray[np.float64]) -> float:
        return _log_sum(words)

    def log_odds(self, view: View, words: NDArray[np.float64]) -> NDArray[np.float64]:
        most = words.max()
        exponents = np.exp(words - most)
        members, starts = self._related
        rivals = exponents.sum() - np.add.reduceat(exponents[members], starts)
        return np.asarray(words - most - np.log(np.maximum(rivals, _LEAST_RIVAL)))

    @cached_property
    def _related(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The related words of all words in a row, and where those of each begin."""
        sets = [entry["related"] for entry in self._entries]
        members = np.concatenate([np.array(related, np.intp) for related in sets])
        return members, np.cumsum([0, *(len(related) for related in sets[:-1])])

    def rivals(
        self, view: View, words: NDArray[np.float64], candidates: Candidates, logits: NDArray[np.float64], best: int
    ) -> tuple[float, NDArray[np.float64]]:
        """See ``Everyday.rivals``.

        A label that is an everyday word does not compete with related words. For any other label it is not known which
        words are kinds of it, so those that are nearest to it by their embeddings do not compete. This is NegMining of
        Jiang et al., who choose negative labels by a percentile of the similarity as well.
        """
        word, own = candidates.words[best], candidates.embeddings[best]
        unknown = candidates.words < 0
        competing = np.ones(len(self.words), bool)
        if word >= 0:
            competing[self._entries[word]["related"]] = False
        if unknown.any():  # only then is it worth the time
            nearness = np.vecdot(self._embeddings, own)
            least = np.quantile(nearness, NEAREST)
            competing = competing if word >= 0 else nearness < least
        others = competing[candidates.words]
        if unknown.any():
            others[unknown] = np.vecdot(candidates.embeddings[unknown], own) < least
        others[best] = False
        competing[candidates.words[~unknown]] = False  # these are among the candidates
        return float(logits[best]), np.concatenate([logits[others], words[competing]])

    def strongest(
        self, view: View, candidates: Candidates, best: int, count: int
    ) -> tuple[list[str], NDArray[np.float64]]:
        """The words that compete most with the best candidate, and their logits, float64 [count].

        Args:
            candidates, best: as for ``rivals``.
        """
        word = candidates.words[best]
        if word >= 0:
            competing = np.ones(len(self.words), bool)
            competing[self._entries[word]["related"]] = False
        else:
            nearness = np.vecdot(self._embeddings, candidates.embeddings[best])
            competing = nearness < np.quantile(nearness, NEAREST)
        logits = np.where(competing, self.logits(view), -np.inf)
        first = np.argsort(-logits, kind="stable")[:count]
        return [self.words[position] for position in first], logits[first]

    def direction(self, view: View, candidates: Candidates, best: int) -> NDArray[np.floating]:
        """The candidate's embedding less the mean of the words'."""
        return np.asarray(candidates.embeddings[best] - self._embeddings.mean(axis=0))


def _log_sum(logits: NDArray[np.float64]) -> float:
    most = float(logits.max())
    return most + math.log(float(np.exp(logits - most).sum()))
