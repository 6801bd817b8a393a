"""The measurement of learned things, on vectors whose answer is known."""

import numpy as np
import pytest

from backend.clip.recognition.background import unit
from training.background import LEAST_LEFT, Vectors, episodes, mean, measure
from training.examples import DRAWS, THINGS, figures, nearest_mean


def vectors(spread: float, things: int = 50, photos: int = 9) -> Vectors:
    """Clusters around random directions; ``spread`` 0 has all photographs of a thing alike."""
    random = np.random.default_rng(0)
    centers = unit(random.normal(size=(things, 40)) + 1.5)
    rows = unit(np.repeat(centers, photos, axis=0) + spread * random.normal(size=(things * photos, 40)))
    return Vectors(rows, rows, np.repeat([f"drawn:thing {number}" for number in range(things)], photos))


def test_things_that_differ_are_told_apart_and_others_are_not_taken_for_them() -> None:
    clear = vectors(0.03)
    said = figures(episodes(clear, measure(clear), DRAWS, (1,), (THINGS,)))
    assert said.top1 == 1
    assert said.recognized > 0.98
    assert said.wrongly < 0.05
    assert said.error < 0.05


def test_a_confidence_that_is_fitted_says_how_often_it_is_right() -> None:
    blurred = vectors(0.1)
    made = episodes(blurred, measure(blurred), DRAWS, (1,), (THINGS,))
    assert 0.3 < figures(made).top1 < 0.97
    assert figures(made).error < 0.1
    certain = [episode._replace(odds=50 * episode.odds) for episode in made]
    assert figures(certain).error > figures(made).error + 0.1


def test_more_photos_are_better() -> None:
    blurred = vectors(0.16)
    assert nearest_mean(blurred, 5, "") > nearest_mean(blurred, 1, "") + 0.05


def test_what_is_learned_is_not_judged_by_the_same_photographs() -> None:
    few = vectors(0.03, photos=2 + LEAST_LEFT)
    [episode] = episodes(few, measure(vectors(0.03)), 1, (2,), (THINGS,))
    assert (episode.truth >= 0).sum() == THINGS * LEAST_LEFT
    assert episode.learned.counts.tolist() == [2] * THINGS


def test_a_thing_with_many_photographs_does_not_outweigh_the_others() -> None:
    rows = np.concatenate([np.tile([1.0, 0.0], (100, 1)), np.tile([0.0, 1.0], (10, 1))])
    many = Vectors(rows, rows, np.array(["a:one"] * 100 + ["a:other"] * 10))
    assert mean(many) == pytest.approx([0.5, 0.5])
