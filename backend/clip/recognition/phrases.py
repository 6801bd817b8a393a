"""Phrases that compete with a candidate beside the everyday words, where the calibration found them to help.

The export writes their embeddings (``export/phrases.py``), for models that compare embeddings.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .candidates import View

FILE = "phrases.npy"


class Phrases:
    def __init__(self, embeddings: NDArray[np.float32], logit_scale: float) -> None:
        """``embeddings`` float32 [n, dim], rows of unit length."""
        self._embeddings = embeddings
        self._logit_scale = logit_scale
        self._of_words: NDArray[np.float32] | None = None

    @staticmethod
    def read(folder: Path, logit_scale: float) -> "Phrases":
        """Read those of an exported model folder; FileNotFoundError where it has none."""
        return Phrases(np.load(folder / FILE), logit_scale)

    def rivals(self, view: View, candidate: NDArray[np.float32], nearest: float) -> NDArray[np.float64]:
        """The logits, float64 [m], of the phrases that compete with a candidate.

        Args:
            candidate: float32 [dim], its embedding.
            nearest: the quantile of the phrases' similarity to the candidate from which on they may mean the same, and
                do not compete.
        """
        nearness = np.vecdot(self._embeddings, candidate)
        cosines: NDArray[np.float32] = np.vecdot(self._embeddings, view.embedding)
        competing = nearness < np.quantile(nearness, nearest)
        return np.asarray(self._logit_scale * cosines[competing].astype(np.float64))

    def of_words(self, view: View, words: NDArray[np.float32], nearest: float) -> NDArray[np.float64]:
        """The logarithm, float64 [n], of the sum of the exponentials of ``rivals`` of each everyday word.

        Args:
            words: float32 [n, dim], the embeddings of all everyday words, the same in every call.
            nearest: as for ``rivals``.
        """
        if self._of_words is None:
            nearness = words @ self._embeddings.T
            self._of_words = (nearness < np.quantile(nearness, nearest, axis=1, keepdims=True)).astype(np.float32)
        logits = self._logit_scale * np.vecdot(self._embeddings, view.embedding).astype(np.float64)
        most = logits.max()
        return np.asarray(most + np.log(np.vecdot(self._of_words, np.exp(logits - most).astype(np.float32))))
