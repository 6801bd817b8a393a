"""Tiny gray pictures of photos, which tell a copy of a photo from another photo of the same thing."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..previews import image_of

SIDE = 32
# A copy may lack up to 9 % of the width and of the height, at either side or both.
_SHARES = (0.97, 0.94, 0.91)
_POSITIONS = (0.0, 0.5, 1.0)
# Of a picture without anything in it: shades of gray from its mean.
_FLAT = 2.0


def thumbnail(jpeg: bytes) -> NDArray[np.uint8]:
    """The luminance of a preview, uint8 [32, 32], whatever its proportions.

    Raises:
        BadPreview: it is something else.
    """
    return np.asarray(image_of(jpeg).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


def centred(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Each of the thumbnails [n, 32, 32] as a row of mean 0 and length 1 (0 without anything in it), for products."""
    return _centred(thumbnails.reshape(len(thumbnails), -1).astype(np.float32))


def likeness(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """The correlation of two thumbnails, -1 to 1, if one may be a part of the other: the best over all such parts."""
    one, other = centred(np.stack((first, second)))
    return float(max((_parts(first) @ other).max(), (_parts(second) @ one).max()))


def _centred(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > _FLAT * SIDE, rows / np.maximum(length, 1), 0)


def _parts(of: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The whole and its parts, each of the size of the whole, as rows like those of ``centred``."""
    weights = _weights()
    rows = weights @ of.astype(np.float32)
    parts = rows[:, None] @ weights.transpose(0, 2, 1)[None]
    return _centred(parts.reshape(len(weights) ** 2, -1))


@cache
def _weights() -> NDArray[np.float32]:
    """How much of each pixel in a line is in each pixel of a part of it: [parts, 32, 32]."""
    parts = [(0.0, 1.0), *((at * (1 - share), share) for share in _SHARES for at in _POSITIONS)]
    pixels = np.arange(SIDE)
    weights = []
    for start, share in parts:
        edges = (start + share * np.arange(SIDE + 1) / SIDE) * SIDE
        covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        covered = np.maximum(covered, 0)
        weights.append(covered / covered.sum(axis=1, keepdims=True))
    return np.stack(weights).astype(np.float32)
