"""Calibration for sets of labels: what it is fitted on, and the scores that it is compared with."""

from pathlib import Path

import numpy as np
import pytest

from backend.clip.manifest import UNCALIBRATED
from training.coverage import Judged, adaptive, fit
from training.data import DataError
from training.photos import Photo


def judged(source: str, label: str, likelihood: float) -> Judged:
    return Judged(Photo(Path("photo.jpg"), source, "thing", label), [("apple", likelihood), ("pear", likelihood / 2)])


def test_it_is_fitted_on_photographs_that_the_model_has_not_seen() -> None:
    clean = [judged("mine", label, 0.4) for label in ("apple", "") for _ in range(9)]
    known_too_well = [judged(source, label, 0.9) for source in ("imagenet-sample", "") for label in ("apple", "")]

    coverage = fit([*clean, *known_too_well], UNCALIBRATED).coverage

    assert coverage == fit(clean, UNCALIBRATED).coverage
    assert coverage is not None
    assert list(coverage.labels) == pytest.approx([0.4] * len(coverage.levels), abs=1e-5)
    assert coverage.source == "calibrated on 9 photographs of what the labels name, and 9 of other things"
    with pytest.raises(DataError, match="too few"):
        fit(known_too_well, UNCALIBRATED)


def test_adaptive_scores_add_up_what_is_likelier() -> None:
    likelihoods = np.array([[0.5, 0.2, 0.05]])  # and 0.25 for something else

    np.testing.assert_allclose(adaptive(likelihoods), [[0.5, 0.95, 1.0]])
    np.testing.assert_allclose(adaptive(likelihoods, 0.1, 2), [[0.5, 1.05, 1.2]])
