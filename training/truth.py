"""Which everyday words are right for a photograph."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.clip.export.words import Words
from backend.clip.recognition.vocabulary import Everyday
from training.imagenet_names import classes_called
from training.photos import Photo, seen


class Truth(NamedTuple):
    """What is known of a photograph, in the words of ``everyday.txt``."""

    word: int
    """The most specific word that is known to be right."""
    right: NDArray[np.bool_]
    """bool [n], the words that are right for all that is known: it, what it is a kind of, and the kinds of it."""


def known(photos: Sequence[Photo], words: Words, everyday: Everyday) -> list[tuple[Photo, Truth]]:
    """The photographs of which a word that the model knows, by its name or a synonym, says what they show.

    Of ImageNet's photographs the classes are known, and right is each word that one of them belongs to.
    """
    sets = [frozenset(words.classes(word)) for word in range(len(words.names))]
    found = ((photo, _truth(photo, words, everyday, sets)) for photo in photos)
    return [(photo, truth) for photo, truth in found if truth is not None]


def _truth(photo: Photo, words: Words, everyday: Everyday, sets: Sequence[frozenset[int]]) -> Truth | None:
    if seen(photo) and (classes := classes_called(photo.what)):
        right = np.array([bool(classes & own) for own in sets])
        words_right = np.flatnonzero(right).tolist()
        return Truth(min(words_right, key=lambda word: len(sets[word])), right) if words_right else None
    found = everyday.find(photo.label or photo.what)
    if found < 0:
        return None
    word = words.index(everyday.words[found])
    return Truth(word, words.below[:, word] | words.below[word])
