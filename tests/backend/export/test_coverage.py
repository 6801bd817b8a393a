"""The limits of sets of labels, against what they promise."""

import numpy as np
import pytest

from backend.clip.export.coverage import LEVELS, fit_coverage


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_new_photos_are_held_as_often_as_is_asked(level: float) -> None:
    """Over many calibrations the mean share is that of the theorem: between the level and 1 / (n + 1) above it."""
    rng = np.random.default_rng(0)
    labels, others = [], []
    for _ in range(400):
        fitted = fit_coverage(rng.beta(5, 1, 99), rng.beta(1, 5, 199), "drawn")
        assert fitted is not None
        place = fitted.levels.index(level)
        labels.append(float(np.mean(rng.beta(5, 1, 1000) >= fitted.labels[place])))
        others.append(float(np.mean(rng.beta(1, 5, 1000) <= fitted.others[place])))

    assert np.mean(labels) == pytest.approx(level, abs=0.012)
    assert np.mean(others) == pytest.approx(level, abs=0.012)


def test_the_limits_are_those_of_the_ranks() -> None:
    likely = np.arange(1, 10) / 10  # the highest rank for 0.9 of nine is 0.9 · 10

    fitted = fit_coverage(likely, likely, "nine")

    assert fitted is not None
    assert fitted.levels == tuple(level for level in LEVELS if level <= 0.9)
    assert (fitted.labels[-1], fitted.others[-1]) == (0.1, 0.9)
    assert (fitted.labels[0], fitted.others[0]) == (0.5, 0.5)
    assert list(fitted.labels) == sorted(fitted.labels, reverse=True)
    assert list(fitted.others) == sorted(fitted.others)


def test_too_few_photographs() -> None:
    none = np.empty(0)
    assert fit_coverage(none, none, "") is None
    assert fit_coverage(np.array([0.5]), none, "") is None
