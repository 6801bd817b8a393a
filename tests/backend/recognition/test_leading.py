"""Which of several words that are right at once is said first."""

import numpy as np
import pytest

from backend.clip.deadline import Deadline
from backend.clip.recognition.candidates import View
from backend.clip.recognition.leading import leading
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Recognizer
from tests.launch import PROJECT


@pytest.fixture(scope="module")
def bundled() -> Recognizer:
    return Recognizer(PROJECT / "backend" / "clip" / "model", precision="f32")


@pytest.mark.parametrize(
    ("animal", "dog", "beagle", "boxer", "first"),
    [
        (0.99, 0.98, 0.67, 0.30, 2),  # the most specific one that is sure enough
        (0.99, 0.98, 0.66, 0.69, 3),  # and of these the surest
        (0.99, 0.98, 0.64, 0.30, 1),
        (0.99, 0.79, 0.64, 0.30, 0),  # a general word has to be surer
        (0.79, 0.70, 0.64, 0.30, None),
    ],
)
def test_the_most_specific_word_that_is_sure_enough_leads(
    animal: float, dog: float, beagle: float, boxer: float, first: int | None
) -> None:
    assert leading(np.array([animal, dog, beagle, boxer]), np.array([2.0, 1.0, 0.0, 0.0])) == first


@pytest.mark.parametrize(("rival", "first"), [(0.6, "beagle"), (0.0, "dog")])
def test_an_answer_begins_with_it(rival: float, first: str, bundled: Recognizer) -> None:
    """A picture that is a beagle, or as well any of some other hounds."""
    embedding = bundled.embed(np.zeros((208, 208, 3), np.uint8)).embedding
    classes = np.full(1100, -8.0)
    classes[162] = 8  # beagle
    classes[[161, 163, 166]] = 8 - 4 * rival
    view = View(embedding, classes)

    for vocabulary in ("everyday", "all"):
        answer = bundled.rank(view, bundled.candidates(Query(vocabulary=vocabulary), Deadline.unlimited()), 5)
        scores = [prediction.score for prediction in answer.predictions]
        assert answer.predictions[0].label == first
        assert {"dog", "mammal", "animal"} - {first} <= {prediction.label for prediction in answer.predictions}
        assert scores == sorted(scores, reverse=True)
    asked = bundled.rank(view, bundled.candidates(Query(labels=("pizza",)), Deadline.unlimited()), 1)
    assert asked.instead is not None
    assert asked.instead.label == first
    assert asked.instead.confidence == pytest.approx(answer.confidence)
    assert bundled.tags(view)[0].label == first
