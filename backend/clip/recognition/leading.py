"""Which of several words that are right at once leads an answer: the most specific one that is sure enough.

A general word is at least as likely as each of its kinds, so the likeliest one is mostly too general to be of use
(Deng et al., "Hedging Your Bets: Optimizing Accuracy-Specificity Trade-offs in Large Scale Visual Recognition", 2012).
It says less as well, so it has to be surer. ``python -m training.words`` measures what the two limits give.
"""

import numpy as np
from numpy.typing import NDArray

SPECIFIC, GENERAL = 0.65, 0.8
"""The confidence from which on a word leads that has no kinds among the everyday words, and one that has some."""


def leading(confidences: NDArray[np.float64], heights: NDArray[np.float64]) -> int | None:
    """The position of the word that leads; None where none is sure enough.

    Args:
        confidences: float64 [n], of words that may be right at once.
        heights: float64 [n], the levels of more specific words below each.
    """
    sure = np.flatnonzero(confidences >= np.where(heights > 0, GENERAL, SPECIFIC))
    if not sure.size:
        return None
    specific = sure[heights[sure] == heights[sure].min()]
    return int(specific[np.argmax(confidences[specific])])
