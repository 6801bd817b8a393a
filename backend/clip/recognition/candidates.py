"""What an image is compared with, and what the image tower says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UnknownLabel

NO_EMBEDDINGS = np.empty((0, 0), np.float32)
NO_WORDS = np.empty(0, np.intp)


class View(NamedTuple):
    """The image tower's outputs for one image."""

    embedding: NDArray[np.float32]
    """float32 [dim], of unit length."""
    classes: NDArray[np.float64]
    """float64 [classes], the logits of the fine classes; empty where the tower has none."""
    map: NDArray[np.float32] | None = None
    """The tower's map (``explanation.py``), where it was asked for."""


@dataclass(frozen=True)
class Candidates:
    labels: Sequence[str]
    words: NDArray[np.intp]
    """[labels], the everyday word of each, -1 for none."""
    embeddings: NDArray[np.float32]
    """float32 [labels, dim], rows of unit length; empty where the words are compared by their fine classes."""
    offsets: NDArray[np.float64] | float = 0.0
    """float64 [labels], added to the logits of words that are compared by their fine classes."""
    unknown: tuple[UnknownLabel, ...] = ()
    """The caller's labels that were left out, because the model does not know them."""
    overlapping: bool = False
    """Whether several may be right at once, a general word and a special one, so that the ranking weighs them up."""
    things: tuple[int, ...] = ()
    """The things learned from examples that are candidates as well; they come after the labels."""
