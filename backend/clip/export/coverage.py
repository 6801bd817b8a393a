"""Fits the limits of sets of labels (``recognition/coverage.py``) on photographs that show what is known."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from ..manifest import Coverage

LEVELS = tuple(round(0.5 + step / 100, 2) for step in range(50))
"""Which coverages can be asked for, where there are enough photographs; one between two of them gets the higher one's
limits."""
_DIGITS = Decimal("0.000001")


def fit_coverage(named: NDArray[np.float64], others: NDArray[np.float64], source: str) -> Coverage | None:
    """The limits at which the sets hold the right label for a share of the photographs, for each share.

    A set for a photo like these n holds it with at least the probability of the share, because the limit is that of
    the next but one rank: ceil((n + 1) · share) of n.

    Args:
        named: [n], how likely the right label was, of photographs that one of the labels names.
        others: [m], how likely the best label was, of photographs of other things.
        source: see ``Coverage``.

    Returns:
        The limits; None for fewer photographs than the lowest share needs.
    """
    least, most = np.sort(named)[::-1], np.sort(others)
    ranks = [(level, _rank(level, least.size), _rank(level, most.size)) for level in LEVELS]
    held = [(level, one, other) for level, one, other in ranks if one <= least.size and other <= most.size]
    if not held:
        return None
    return Coverage(
        tuple(level for level, _, _ in held),
        tuple(_rounded(least[one - 1], ROUND_FLOOR) for _, one, _ in held),
        tuple(_rounded(most[other - 1], ROUND_CEILING) for _, _, other in held),
        source,
    )


def _rank(level: float, count: int) -> int:
    # In whole hundredths: a product of floats may be a little above a whole number.
    return max(1, math.ceil(Decimal(str(level)) * (count + 1)))


def _rounded(limit: float, towards: str) -> float:
    """Rounded so that the sets get larger."""
    return float(Decimal(float(limit)).quantize(_DIGITS, rounding=towards))
