"""What the sides of a photo show: of two things in it one may be clear in a part and not in the whole.

The image tower's output is computed anew for each side, from the map that the whole was computed from. The tower has
seen the whole picture in each position of its map, so a side is not seen as well as a photo of its own would be. The
confidence of a word is that of the side where it is clearest, by a logistic function that was fitted on photographs
that are put together (``training/composites.py``).
"""

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from .candidates import View
from .head import Head
from .vocabulary import FineClasses

_SIDE = 3 / 7
"""The share of the map that a side has: of seven rows three, so that the middle belongs to neither."""


class Parts:
    """Its methods may be called from any number of threads."""

    def __init__(self, head: Head, everyday: FineClasses) -> None:
        self._head = head
        self._everyday = everyday

    def log_odds(self, view: View, deadline: Deadline) -> NDArray[np.float64]:
        """Of each everyday word where it is clearest, float64 [n], as ``Everyday.log_odds`` has them of a whole.

        Args:
            view: of the photo, with its map.

        Raises:
            Busy: the time of the request is over, or its caller has gone.
        """
        assert view.map is not None  # noqa: S101
        sides = [
            View(view.embedding, classes.astype(np.float64))
            for classes in self._head.outputs(_sides(view.map), deadline)
        ]
        odds = [self._everyday.log_odds(side, self._everyday.logits(side)) for side in sides]
        return np.asarray(np.maximum.reduce(odds))


def _sides(map_: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left, right, top and bottom of a square map: float32 [4, channels, positions, 1], as each position is looked at
    alone and their mean does not depend on their order."""
    width = round(len(map_[0]) * _SIDE)
    parts = (map_[:, :, :width], map_[:, :, -width:], map_[:, :width], map_[:, -width:])
    return np.stack([part.reshape(len(map_), -1, 1) for part in parts])
