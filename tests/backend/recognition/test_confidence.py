import math

import numpy as np
import pytest

from backend.clip.manifest import UNCALIBRATED, Calibration
from backend.clip.recognition.confidence import Evidence, confidence


def test_uncalibrated_it_is_the_share_among_candidate_and_background() -> None:
    logits = np.array([3.0, 1.0, 0.5, -2.0])

    for best in range(4):
        share = math.exp(logits[best]) / np.exp(logits).sum()
        assert confidence(Evidence(logits[best], np.delete(logits, best)), UNCALIBRATED) == pytest.approx(share)


def test_without_rivals_it_is_sure() -> None:
    assert confidence(Evidence(-5.0, np.empty(0)), UNCALIBRATED) == 1


@pytest.mark.parametrize("scale", [1, 1000])
def test_a_calibration_keeps_the_order(scale: float) -> None:
    calibration = Calibration(0.5, {"share": 0.3, "bias": -1.0}, "test")
    bests = [scale * best for best in (-50.0, -1.0, 0.0, 0.5, 40.0)]

    values = [confidence(Evidence(best, np.zeros(3)), calibration) for best in bests]

    assert values == sorted(values)
    assert all(0 <= value <= 1 for value in values)
