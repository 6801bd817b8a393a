"""How the confidences of general words and their kinds fit together."""

from functools import cache

import numpy as np
import pytest

from backend.clip.deadline import Deadline
from backend.clip.export.words import Words, read_words
from backend.clip.photos.image import read_pixels
from backend.clip.recognition.candidates import View
from backend.clip.recognition.kinds import Kinds
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Recognizer
from tests.launch import PROJECT
from tests.pictures import encoded, photo


@cache
def bundled() -> Recognizer:
    return Recognizer(PROJECT / "backend" / "clip" / "model", precision="f32")


@pytest.fixture(scope="module")
def words() -> Words:
    return read_words()


def views() -> list[View]:
    """Random logits from flat to sharp, and what the tower makes of pictures."""
    rng = np.random.default_rng(0)
    recognizer = bundled()
    seen = [
        recognizer.embed(read_pixels(encoded(photo((320, 240), seed), "JPEG"), recognizer.manifest.image))
        for seed in range(4)
    ]
    embedding, count = seen[0].embedding, len(seen[0].classes)
    return seen + [View(embedding, rng.normal(0, scale, count)) for scale in (0, 0.5, 2, 5, 20) for _ in range(5)]


def confidence(view: View, word: str) -> float:
    recognizer = bundled()
    return recognizer.rank(view, recognizer.candidates(Query(labels=(word,)), Deadline.unlimited()), 1).confidence


def test_a_general_word_is_at_least_as_likely_as_each_of_its_kinds(words: Words) -> None:
    for view in views():
        asked = {name: confidence(view, name) for name in bundled().everyday.words[::7]}
        asked |= {name: confidence(view, name) for name in ("animal", "mammal", "cat", "food", "pet", "vehicle")
                  if name in bundled().everyday.words}  # fmt: skip
        for general in asked:
            for special in asked:
                if words.below[words.index(general), words.index(special)]:
                    assert asked[general] >= asked[special] - 1e-12, (general, special)


def test_an_answer_has_the_same_confidence_for_a_word_whatever_was_asked() -> None:
    for view in views():
        recognizer = bundled()
        for vocabulary in ("labels", "everyday", "all"):
            candidates = recognizer.candidates(Query(vocabulary=vocabulary), Deadline.unlimited())
            answer = recognizer.rank(view, candidates, 1)
            assert answer.confidence == pytest.approx(
                confidence(view, answer.predictions[0].label), rel=1e-6, abs=1e-12
            )
        for tag in recognizer.tags(view):
            assert tag.confidence == pytest.approx(confidence(view, tag.label), rel=1e-6)


def test_a_picture_that_says_nothing_is_not_an_animal_for_the_number_of_animals() -> None:
    recognizer = bundled()
    flat = View(views()[0].embedding, np.zeros(len(views()[0].classes)))

    assert confidence(flat, "animal") < 0.2
    assert recognizer.tags(flat) == []


def test_a_general_word_needs_one_clear_kind() -> None:
    kinds = Kinds(
        [[], [0], [1], [1], [0]], np.array([2.0, 1.0, 0.0, 0.0, 0.0]), np.array([True, True, False, False, False])
    )

    spread = kinds.coherent(np.array([0.9, 0.3, 0.1, 0.2, 0.3]))
    clear = kinds.coherent(np.array([0.9, 0.8, 0.1, 0.2, 0.3]))

    assert spread[0] == pytest.approx(1 - 0.7**2)
    assert clear[0] == pytest.approx(0.9)
    assert clear[1:].tolist() == [0.8, 0.1, 0.2, 0.3]  # breeds of a dog may be alike


def test_no_general_word_has_less_than_a_kind_of_it() -> None:
    kinds = Kinds([[], [0], [1, 0]], np.array([2.0, 1.0, 0.0]), np.zeros(3, bool))

    assert kinds.coherent(np.array([0.1, 0.2, 0.6])).tolist() == [0.6, 0.6, 0.6]


def test_instead_is_the_first_word_of_all() -> None:
    recognizer = bundled()
    classes = np.full(len(views()[0].classes), -5.0)
    classes[130] = 12.0  # flamingo
    view = View(views()[0].embedding, classes)

    answer = recognizer.rank(view, recognizer.candidates(Query(), Deadline.unlimited()), 1)
    every = recognizer.rank(view, recognizer.candidates(Query(vocabulary="all"), Deadline.unlimited()), 1)

    assert not answer.recognized
    assert answer.instead is not None
    assert answer.instead.label == every.predictions[0].label
    assert answer.instead.confidence == pytest.approx(every.confidence)
    assert every.predictions[0].label == "flamingo"
