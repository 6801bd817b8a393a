"""What photographs look like to a model before anything was learned from examples, so that a likeness means something.

``training/background.py`` measures that on photographs and writes it into the model's folder. Of a model that comes
without it, nothing is known but its examples and pictures that a program has drawn.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from .candidates import View

Space = Literal["classes", "embedding"]
"""Where images are compared: the probabilities of the fine classes, or the embeddings."""

FILE = "background.npz"
_ROOT = 0.25
# Of a model without a background. They were fitted to the bundled model's embeddings, without its background.
_DRAWN_THINGS = 5
_UNMEASURED = np.array([19.3, -9.18, 2.22])


def vector(view: View, space: Space) -> NDArray[np.float64]:
    """What images are compared by: float64 [dim], of unit length.

    Fourth roots of the probabilities, because the likeliest class alone says less about a thing that is none of them
    than what it resembles a little.
    """
    if space == "embedding":
        return view.embedding.astype(np.float64)
    return unit(np.exp(_ROOT * np.maximum(view.classes - view.classes.max(), -700)))


def unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows in unit length; those of no length stay."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))


@dataclass(frozen=True)
class Background:
    """Of one model in one space."""

    center: NDArray[np.float64]
    """float64 [dim], the mean of photographs."""
    weights: NDArray[np.float64]
    """float64 [3]: log-odds of a thing are the first times its cosine with an image, plus the second, plus the
    third over the number of its photos."""

    @classmethod
    def read(cls, folder: Path, space: Space) -> Self | None:
        """That of an exported model folder; None where it has none."""
        try:
            arrays = np.load(folder / FILE, allow_pickle=False)
        except FileNotFoundError:
            return None
        with arrays:
            return cls(*(arrays[f"{space}_{name}"].astype(np.float64) for name in ("center", "weights")))

    @classmethod
    def without_photographs(cls, things: NDArray[np.float64], drawn: NDArray[np.float64]) -> Self:
        """What can be said without any photographs but the examples, of a model whose background nobody has measured.

        Args:
            things: float64 [n, dim], the mean of each.
            drawn: float64 [m, dim], of pictures that a program has drawn; together they count as five things.
        """
        center = (things.sum(axis=0) + _DRAWN_THINGS * drawn.mean(axis=0)) / (len(things) + _DRAWN_THINGS)
        return cls(center, _UNMEASURED)

    def centered(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [..., dim], what distinguishes each from photographs in general, in unit length."""
        return unit(vectors - self.center)
