"""Where the image tower found a label: a coarse grid of relevance.

A map of the tower has a position for each part of the picture (``export/explain.py``). For each of them the tower's
output is computed as if the picture were nothing but that part. Its relevance is what this output says for the label
and not for other words as well: ``Everyday.direction`` is a vector d, and the relevance of an output z is z · d, or 0
if that is negative.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..errors import BadParameter
from ..photos.preprocessing import Preprocessing
from .candidates import Candidates, View
from .examples import Examples
from .head import Head
from .spelling import Names
from .vocabulary import Everyday

Area = tuple[float, float, float, float]


@dataclass(frozen=True)
class Explanation:
    label: str
    grid: NDArray[np.float64]
    """float64 [rows, columns], rows from top to bottom. The most relevant cell has 1, one that says nothing for the
    label 0; all have 0 if none says anything for it."""
    area: Area
    """Left, top, right and bottom of what the grid covers, as fractions of the upright photo's width and height."""


class Explainer:
    """Its methods may be called from any number of threads."""

    def __init__(self, head: Head, everyday: Everyday, examples: Examples | None, preprocessing: Preprocessing) -> None:
        self._head = head
        self._everyday = everyday
        self._examples = examples
        self._preprocessing = preprocessing

    def subject(self, candidates: Candidates, label: str) -> tuple[Candidates, str]:
        """Find what is called so: a candidate, a thing that was learned, or else an everyday word.

        Returns:
            What to ``explain``: its label among its like.

        Raises:
            BadParameter: it is neither.
        """
        things = self._examples.names if self._examples else ()
        labels, everyday = [*candidates.labels, *things], self._everyday
        if label in labels:
            return candidates, label
        if called := {candidate.casefold(): candidate for candidate in labels}.get(label.casefold()):
            return candidates, called
        if (word := everyday.find(label)) >= 0:
            same = np.flatnonzero(candidates.words == word)
            return (candidates, labels[same[0]]) if same.size else (everyday.candidates, everyday.words[word])
        near = list(dict.fromkeys([*Names((one,) for one in labels).near(label), *everyday.near(label)]))
        raise BadParameter(
            f"explain takes 1, 0, a candidate or an everyday word, and '{label[:40]}' is none of them"
            + (f" (near: {', '.join(near)})." if near else ".")
        )

    def explain(
        self, view: View, candidates: Candidates, label: str, size: tuple[int, int], deadline: Deadline | None = None
    ) -> Explanation:
        """Find a label in the picture.

        Args:
            view: of the picture, with its map.
            label: one of the candidates', or the name of a thing among them.
            size: width and height of the upright photo, of which only the ratio counts.
            deadline: of the request; None where none waits.

        Raises:
            Busy: the time of the request is over, or its caller has gone.
        """
        assert view.map is not None  # noqa: S101
        direction = self._direction(view, candidates, label)
        outputs = self._outputs(view.map, deadline or Deadline.unlimited())
        relevance = np.maximum(np.vecdot(outputs.astype(np.float64), direction), 0)
        grid, area = covered(relevance, size, self._preprocessing)
        return Explanation(label, grid / (grid.max() or 1), area)

    def _direction(self, view: View, candidates: Candidates, label: str) -> NDArray[np.floating]:
        if self._examples and label not in candidates.labels:
            return self._examples.direction(view, self._examples.names.index(label))
        return self._everyday.direction(view, candidates, candidates.labels.index(label))

    def _outputs(self, map_: NDArray[np.float32], deadline: Deadline) -> NDArray[np.float32]:
        """The tower's output for each position: float32 [rows, columns, dim or classes]."""
        if map_.ndim == 2:  # tokens
            return np.asarray(self._head.outputs(map_[np.newaxis], deadline)[0])
        channels, rows, columns = map_.shape
        positions = map_.reshape(channels, -1).T[:, :, np.newaxis, np.newaxis]
        return self._head.outputs(positions, deadline).reshape(rows, columns, -1)


def covered(
    grid: NDArray[np.float64], size: tuple[int, int], preprocessing: Preprocessing
) -> tuple[NDArray[np.float64], Area]:
    """Say which part of a photo a grid covers, and take the cells away that cover none of it.

    Args:
        grid: float64 [rows, columns], over all that the image tower sees.
        size: the photo's width and height.

    Returns:
        The grid and its area, see ``Explanation``.
    """
    height, width = preprocessing.size
    ratio = size[0] / size[1] * height / width
    less, more = min(1, ratio), min(1, 1 / ratio)
    if preprocessing.resize_mode == "shortest":
        return grid, (0.5 - more / 2, 0.5 - less / 2, 0.5 + more / 2, 0.5 + less / 2)
    if preprocessing.resize_mode == "longest":  # what is not the photo is padding
        grid = _middle(_middle(grid, more).T, less).T
    return grid, (0, 0, 1, 1)


def _middle(grid: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The middle of the rows, in as many rows as fit, each the mean of what it covers."""
    count = len(grid)
    edges = count / 2 + count * share * np.linspace(-0.5, 0.5, max(1, round(count * share)) + 1)
    cells = np.arange(count)
    overlap = np.clip(np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells), 0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True) @ grid)
