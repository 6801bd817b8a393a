"""What the function says of a ranking."""

import json

import pytest

from backend.clip.api.answer import recognition
from backend.clip.api.wording import Wording
from backend.clip.deadline import Deadline
from backend.clip.manifest import Manifest
from backend.clip.recognition.recognizer import Instead, Prediction, Ranking
from backend.clip.recognition.vocabulary import Everyday
from backend.clip.service import Recognition
from tests.launch import PROJECT

MODEL = PROJECT / "backend" / "clip" / "model"
MANIFEST = Manifest.read(MODEL)
WORDS = Wording(Everyday.read(MODEL, MANIFEST.logit_scale))


@pytest.mark.parametrize(
    ("score", "written"),
    [
        (0.123456789, "0.123457"),
        (0.99999, "0.99999"),
        (1.23456789e-12, "1.23457e-12"),
        (1.0, "1.0"),
        (0.25, "0.25"),
    ],
)
def test_a_score_has_six_significant_digits(score: float, written: str) -> None:
    result = Recognition(Ranking([Prediction("apple", score)], 0.5, True, None), preview=b"", explanation=None)

    answer = recognition(result, MANIFEST, None, Deadline.unlimited(), WORDS)

    assert f'"score": {written}}}' in answer["body"]
    assert json.loads(answer["body"])["predictions"][0]["score"] == pytest.approx(score, rel=1e-5)


def test_an_answer_that_is_not_recognized_says_what_it_is_instead() -> None:
    ranking = Ranking([Prediction("aquarium fish", 0.8)], 0.03125, False, Instead("flamingo", 0.93))

    answer = recognition(
        Recognition(ranking, preview=b"", explanation=None), MANIFEST, None, Deadline.unlimited(), WORDS
    )

    assert json.loads(answer["body"]) == {
        "predictions": [{"label": "aquarium fish", "score": 0.8}],
        "confidence": 0.03125,
        "recognized": False,
        "instead": {"label": "flamingo", "confidence": 0.93},
        "model": MANIFEST.title,
    }
    assert answer["headers"]["X-Confidence"] == "0.0312"
    assert answer["headers"]["X-Recognized"] == "false"
