"""The fit of a confidence, on answers whose probabilities are known."""

import numpy as np
import pytest

from backend.clip.export.calibration import (
    LEAST_THRESHOLD,
    calibration_error,
    fit,
    log_loss,
    log_odds,
    threshold,
    wrong_at_95,
)
from backend.clip.manifest import UNCALIBRATED, Calibration


def drawn(share: float, bias: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds, and whether each answer is right, which it is with the probability of this logistic function."""
    rng = np.random.default_rng(1)
    evidence = rng.normal(0, 4, count)
    return evidence, rng.random(count) < 1 / (1 + np.exp(-(share * evidence + bias)))


def test_the_function_that_the_answers_were_drawn_by_is_found() -> None:
    evidence, right = drawn(0.7, -0.4)
    found = fit(evidence, right, np.ones(len(right)))
    assert found == pytest.approx((0.7, -0.4, 0), abs=0.05)
    sure = found.confidences(evidence)
    assert calibration_error(sure, right, np.ones(len(right))) < 0.015
    other = fit(evidence, right, np.ones(len(right)))._replace(bias=0.8)
    assert log_loss(sure, right, np.ones(len(right))) < log_loss(
        other.confidences(evidence), right, np.ones(len(right))
    )


def test_a_weight_of_three_is_an_answer_three_times() -> None:
    evidence, right = drawn(0.5, 0.5, 300)
    weights = np.where(np.arange(300) < 100, 3.0, 1.0)
    thrice = fit(np.repeat(evidence, weights.astype(int)), np.repeat(right, weights.astype(int)), np.ones(500))
    assert fit(evidence, right, weights) == pytest.approx(thrice, abs=1e-3)


def test_what_pairs_say_is_found_beside_the_log_odds() -> None:
    rng = np.random.default_rng(3)
    evidence, match = rng.normal(0, 3, 40_000), rng.uniform(0, 1, 40_000)
    right = rng.random(40_000) < 1 / (1 + np.exp(-(0.6 * evidence - 1 + 2.5 * match)))
    found = fit(evidence, right, np.ones(40_000), match)
    assert found == pytest.approx((0.6, -1, 2.5), abs=0.1)
    alone = fit(evidence, right, np.ones(40_000))
    weights = np.ones(40_000)
    assert log_loss(found.confidences(evidence, match), right, weights) < log_loss(
        alone.confidences(evidence), right, weights
    )
    assert fit(evidence, right, weights, -match) == alone  # what speaks against what is right is not counted


@pytest.mark.parametrize("share", [-0.5, 0.0])
def test_evidence_that_says_nothing_gives_every_answer_the_same_probability(share: float) -> None:
    evidence, right = drawn(-abs(share) - 1e-3, -3.0)
    found = fit(evidence, right, np.ones(len(right)))
    assert found.share == 0
    assert found.confidences(evidence) == pytest.approx(right.mean(), abs=1e-3)


@pytest.mark.parametrize("right", [False, True])
def test_answers_that_are_all_right_or_all_wrong_give_no_certainty(right: bool) -> None:
    found = fit(np.linspace(-3, 3, 50), np.full(50, right), np.ones(50))
    assert found.confidences(np.array([9.0]))[0] == pytest.approx(51 / 52 if right else 1 / 52)


def test_the_log_odds_of_a_calibrated_confidence_are_found_again() -> None:
    shares = [0.01, 0.5, 0.98]
    calibrated = Calibration(0.4, {"share": 0.8, "bias": -1.5}, "test")
    evidence = log_odds(shares, UNCALIBRATED)
    sure = 1 / (1 + np.exp(-(0.8 * evidence - 1.5)))
    assert log_odds(list(sure), calibrated) == pytest.approx(evidence)


@pytest.mark.parametrize("wrongly", [0.0, 0.07, 0.5])
def test_the_threshold_is_the_least_that_few_enough_reach(wrongly: float) -> None:
    rng = np.random.default_rng(2)
    sure, weights = rng.uniform(LEAST_THRESHOLD, 1, 400), rng.uniform(0.1, 2, 400)
    found = threshold(sure, weights, wrongly)

    def recognized(at: float) -> float:
        return float(weights[sure >= at].sum() / weights.sum())

    assert recognized(found) <= wrongly
    assert recognized(found - 0.0011) > wrongly
    assert round(found, 3) == found


def test_what_is_unlikely_is_never_recognized() -> None:
    assert threshold(np.full(10, 0.02), np.ones(10)) == LEAST_THRESHOLD


def test_wrong_at_95_counts_what_a_threshold_for_95_percent_lets_through() -> None:
    evidence = np.array([*np.arange(100.0), 4.0, 4.9, 5.0, 60.0])
    right = np.arange(104) < 100
    assert wrong_at_95(evidence, right, ~right) == 0.5
    assert wrong_at_95(evidence, np.zeros(104, bool), ~right) == 1
