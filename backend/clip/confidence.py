"""How sure the recognizer is: the probability that the best candidate names what is in the photo.

A softmax over the candidates alone cannot say that: of two wrong labels one always has the larger share. So words that
nobody asked for compete as well: the everyday words, which stand for whatever else the photo could show. Their share is
taken from the candidates' (Jiang et al., "Negative Label Guided OOD Detection with Pretrained Vision-Language Models",
ICLR 2024, whose negative labels they are), and a logistic function, fitted on photographs where there were some, turns
the best candidate's share into a probability (Platt, "Probabilistic Outputs for Support Vector Machines", 1999).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Calibration:
    """From the evidence to a probability, and the probability from which on something is claimed."""

    threshold: float
    """``recognized`` from this confidence on."""
    weights: Mapping[str, float]
    """Of the logistic function: ``share``, that of the log-odds of the best candidate's share, and ``bias``."""
    source: str
    """Where the numbers come from, for people."""


UNCALIBRATED = Calibration(0.5, {"share": 1.0, "bias": 0.0}, "not calibrated: the share of the best candidate itself")


@dataclass(frozen=True)
class Evidence:
    """What one image gives for the best candidate and for everything else; logits of one scale."""

    best: float
    """The best candidate's."""
    background: NDArray[np.float64]
    """[m], of everything that competes with it."""


def confidence(evidence: Evidence, calibration: Calibration) -> float:
    """The probability, 0 to 1, that the best candidate is right."""
    log_odds = evidence.best - float(np.logaddexp.reduce(evidence.background))
    total = calibration.weights["share"] * log_odds + calibration.weights["bias"]
    return 1 / (1 + math.exp(-total)) if total > -700 else 0.0
