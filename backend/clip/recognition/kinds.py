"""How confidences of words fit together, of which some are kinds of others.

A general word is at least as likely as each of its kinds. And where all that is known of a general word are its kinds,
their probabilities add up though the photo shows none of them: 398 of ImageNet's 1,000 classes are animals. So such a
word needs one clear kind: it is at most as likely as that at least one of two photos shows it which show its clearest
kind with this kind's confidence.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CLEAR_HEIGHT = 1
"""A kind that may be clear, such as dog, has at most so many levels of words below it: its breeds may be alike."""
_PHOTOS = 2


class Kinds:
    """Of n words, which are kinds of which."""

    def __init__(self, above: Sequence[Sequence[int]], heights: NDArray[np.float64], summed: NDArray[np.bool_]) -> None:
        """Read the relation.

        Args:
            above: for each word the words that it is directly a kind of.
            heights: float64 [n], the levels of words below each.
            summed: bool [n], the words of which nothing but their kinds is known.
        """
        below: list[set[int]] = [{word} for word in range(len(above))]
        for word in np.argsort(heights, kind="stable").tolist():
            for general in above[word]:
                below[general] |= below[word]
        self._kinds = below
        clear = {
            word: [kind for kind in kinds if heights[kind] <= _CLEAR_HEIGHT]
            for word, kinds in enumerate(below)
            if summed[word] and heights[word] > _CLEAR_HEIGHT
        }
        self._clear = _Sets({word: kinds for word, kinds in clear.items() if kinds})
        self._below = _Sets({word: sorted(kinds) for word, kinds in enumerate(below) if len(kinds) > 1})

    def above(self, word: int) -> set[int]:
        """All words that a word is a kind of."""
        return {general for general, kinds in enumerate(self._kinds) if word in kinds and general != word}

    def below(self, word: int) -> set[int]:
        """A word and all kinds of it."""
        return self._kinds[word]

    def needs_clear_kind(self, word: int) -> bool:
        """Whether its kinds are all that is known of a word, and there are several levels of them."""
        return word in self._clear.words

    def coherent(self, confidences: NDArray[np.float64]) -> NDArray[np.float64]:
        """The confidences of all words, float64 [n], from those that each would have alone."""
        together = confidences.copy()
        if self._clear.words.size:
            clearest = self._clear.most(confidences)
            together[self._clear.words] = np.minimum(together[self._clear.words], 1 - (1 - clearest) ** _PHOTOS)
        if self._below.words.size:
            together[self._below.words] = self._below.most(together)
        return together


class _Sets:
    """For some words a set of words each."""

    def __init__(self, sets: dict[int, list[int]]) -> None:
        self.words = np.array(list(sets), np.intp)
        self._members = np.array([member for members in sets.values() for member in members], np.intp)
        self._starts = np.cumsum([0, *(len(members) for members in sets.values())])[:-1]

    def most(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The largest value in each set."""
        return np.asarray(np.maximum.reduceat(values[self._members], self._starts))
