"""Fits a confidence to answers that are known to be right or wrong."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..manifest import Calibration

WRONGLY = 0.07
"""The threshold of ``recognized`` is the least one at which so few pictures of other things are recognized."""
LEAST_THRESHOLD = 0.3
"""… but an answer that is less likely right than this is never recognized, however seldom the model is wrong."""
_LIMIT = 1e-12
_BINS = 15

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Fit(NamedTuple):
    """A logistic function of the log-odds and, unless its weight is 0, of ``multi_match``."""

    share: float
    bias: float
    together: float = 0.0

    def confidences(self, log_odds: Floats, together: Floats | float = 0.0) -> Floats:
        """The probabilities, 0 to 1."""
        total = self.share * log_odds + self.together * together + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(total, -700, 700))))


def log_odds(confidences: Sequence[float], calibration: Calibration) -> Floats:
    """Of the best candidates' shares, from which ``calibration`` made these confidences."""
    bounded = np.clip(confidences, _LIMIT, 1 - _LIMIT)
    total = np.log(bounded) - np.log1p(-bounded)
    return np.asarray((total - calibration.weights["bias"]) / calibration.weights["share"])


def fit(evidence: Floats, right: Bools, weights: Floats, together: Floats | None = None) -> Fit:
    """The logistic function with the least logarithmic loss.

    Where the evidence says nothing, or speaks against what is right, as that of a model with random weights, every
    answer has the same probability: that of any answer.

    Args:
        evidence: [n], log-odds.
        weights: [n], of the answers.
        together: [n], ``multi_match`` of the answers; it counts only where it speaks for what is right.
    """
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped] # a second to import

    if right.any() and not right.all():
        for columns in ([evidence] if together is None else [evidence, together], [evidence]):
            fitted = LogisticRegression(C=1e6).fit(np.stack(columns, axis=1), right, sample_weight=weights)
            share, *others = fitted.coef_[0].tolist()
            if min(share, *others, 1) > 0:
                return Fit(share, float(fitted.intercept_[0]), *others)
    # As if one more answer had been right, and one more wrong (Laplace).
    mean = weights.mean()
    return Fit(0.0, float(np.log((weights[right].sum() + mean) / (weights[~right].sum() + mean))))


def log_loss(confidences: Floats, right: Bools, weights: Floats) -> float:
    """The mean logarithmic loss; less is better."""
    likelihood = np.clip(np.where(right, confidences, 1 - confidences), _LIMIT, 1)
    return float(-np.average(np.log(likelihood), weights=weights))


def threshold(confidences: Floats, weights: Floats, wrongly: float = WRONGLY) -> float:
    """The least threshold, in thousandths, at which at most a share of these answers is recognized.

    Args:
        confidences: [n], of the answers to pictures of other things; at least one.
        weights: [n], of the answers.
        wrongly: the share that may be.
    """
    order = np.argsort(-confidences, kind="stable")
    recognized = np.cumsum(weights[order]) / weights.sum()
    highest = confidences[order][np.searchsorted(recognized, wrongly, side="right")] if wrongly < 1 else 0.0
    # One thousandth above the first that must not be recognized.
    return max(LEAST_THRESHOLD, (math.floor(1000 * float(highest)) + 1) / 1000)


def calibration_error(confidences: Floats, right: Bools, weights: Floats) -> float:
    """The mean distance of confidence and accuracy in bins of equal width (Guo et al., "On Calibration of Modern Neural
    Networks", 2017), with weighted answers."""
    bins = np.minimum((confidences * _BINS).astype(int), _BINS - 1)
    sums = np.bincount(bins, weights * (confidences - right), minlength=_BINS)
    return float(np.abs(sums).sum() / weights.sum())


def wrong_at_95(confidences: Floats, right: Bools, others: Bools) -> float:
    """The share of pictures of other things that are recognized where 95 % of the right answers are: FPR95; 1 where no
    answer is right."""
    if not right.any():
        return 1.0
    limit = np.quantile(confidences[right], 0.05)
    return float((confidences[others] >= limit).mean())
