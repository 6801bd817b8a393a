"""How sure the recognizer is: the probability that the best candidate names what is in the photo.

A softmax over the candidates alone cannot say that: of two wrong labels one always has the larger share. So the
everyday words compete with them, which stand for whatever else the photo could show: they are the negative labels of
Jiang et al., "Negative Label Guided OOD Detection with Pretrained Vision-Language Models", ICLR 2024. A logistic
function turns the best candidate's share among all of them into a probability (Platt, "Probabilistic Outputs for
Support Vector Machines", 1999), fitted on photographs if the model was calibrated.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..manifest import Calibration


@dataclass(frozen=True)
class Evidence:
    """The logits of one image for the best candidate and for all that competes with it, on one scale."""

    best: float
    """That of the best candidate."""
    background: NDArray[np.float64]
    """float64 [m], those of everything that competes with it."""
    together: float | None = None
    """``multi_match``, where ``Calibration.together`` counts it."""


def probabilities(log_odds: NDArray[np.float64], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """The probabilities, 0 to 1, that go with log-odds of shares; ``weights`` as ``Calibration.weights``."""
    total = weights["share"] * log_odds + weights["bias"]
    return np.asarray(1 / (1 + np.exp(-np.maximum(total, -700))))


def confidence(evidence: Evidence, calibration: Calibration) -> float:
    """The probability, 0 to 1, that the best candidate is right."""
    if not evidence.background.size:
        return 1.0
    most = evidence.background.max()
    # np.logaddexp.reduce gives the same and takes several times as long for a thousand words.
    log_odds = evidence.best - float(most + np.log(np.exp(evidence.background - most).sum()))
    if evidence.together is not None and calibration.together is not None:
        weights = calibration.together
        total = weights["share"] * log_odds + weights["bias"] + weights["together"] * evidence.together
    else:
        total = calibration.weights["share"] * log_odds + calibration.weights["bias"]
    return 1 / (1 + math.exp(-total)) if total > -700 else 0.0


def multi_match(pairs: NDArray[np.float64], rivals: NDArray[np.float64]) -> float:
    """How much better "a cup and a table" fits an image than "a table" alone, 0 to 1.

    A photo that shows several things is no objection to one of them. This is the multi-matching score of Ansari et al.,
    "NegRefine: Refining Negative Label-Based Zero-Shot OOD Detection", ICCV 2025, for one label: the largest share of a
    pair against its rival.

    Args:
        pairs: float64 [n], the logits of the label together with each of its strongest rivals.
        rivals: float64 [n], those of the rivals alone.
    """
    return float((1 / (1 + np.exp(rivals - pairs))).max())
