"""All the words that a photo is recognized by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .vocabulary import Everyday


@dataclass(frozen=True)
class Tag:
    """An everyday word that the photo is recognized by."""

    label: str
    confidence: float
    path: tuple[str, ...]
    """The more general words above it, most general first."""


TAGGED = 0.8
"""The confidence from which on a word is a tag of a photo of which parts are looked at, in the whole or in a part."""


def found_tags(everyday: Everyday, confidences: NDArray[np.float64]) -> list[Tag]:
    """The words that were found, but for those that another of them implies.

    Args:
        confidences: float64 [n], of all everyday words; 0 for those that were not found.

    Returns:
        Most special first, as their paths are long; surest first among those that are as special.
    """
    found = np.flatnonzero(confidences).tolist()
    implied = {general for word in found for general in everyday.kinds.above(word)}
    tags = [
        Tag(everyday.words[word], float(confidences[word]), tuple(everyday.words[i] for i in everyday.path(word)))
        for word in found
        if word not in implied
    ]
    return sorted(tags, key=lambda tag: (-len(tag.path), -tag.confidence))
