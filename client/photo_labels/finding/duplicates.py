"""Photos that are there twice: the same file, or resized, recompressed or slightly cropped."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .thumbnails import centred, likeness

# Chosen on copies that were made of photographs (python -m training.duplicates). Embeddings find photos of the same
# thing, of which the thumbnails keep the copies.
_ALIKE = 0.5
_NEAR = 0.45
SAME = 0.9
"""The ``likeness`` of two thumbnails from which on the photos are copies."""
_BLOCK = 512


def groups(files: Sequence[str], embeddings: NDArray[np.float32], thumbnails: NDArray[np.uint8]) -> list[list[str]]:
    """The files of which there are others like them, in groups; groups and files by name.

    A photo of one shade without anything in it is in none.

    Args:
        embeddings: of unit length, one row for each file.
        thumbnails: [files, 32, 32].
    """
    above = list(range(len(files)))

    def top(of: int) -> int:
        while above[of] != of:
            above[of] = above[above[of]]
            of = above[of]
        return of

    for first, second in candidates(embeddings, centred(thumbnails)):
        one, other = top(first), top(second)
        if one != other and likeness(thumbnails[first], thumbnails[second]) >= SAME:
            above[max(one, other)] = min(one, other)
    found: dict[int, list[str]] = {}
    for position, file in enumerate(files):
        found.setdefault(top(position), []).append(file)
    return sorted(sorted(group) for group in found.values() if len(group) > 1)


def candidates(embeddings: NDArray[np.float32], pictures: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """The pairs that may be copies, by their positions. Most pairs are told apart by products of matrices.

    Args:
        embeddings: of unit length, one row for each photo.
        pictures: their thumbnails, as ``centred`` gives them.
    """
    for start in range(0, len(embeddings), _BLOCK):
        end = start + _BLOCK
        alike = embeddings[start:end] @ embeddings[start:].T >= _ALIKE
        near = pictures[start:end] @ pictures[start:].T >= _NEAR
        for first, second in np.argwhere(np.triu(alike & near, 1)):
            yield start + int(first), start + int(second)
