"""The rule of confidence on a trained model that compares embeddings: the bundled checkpoint, text tower included."""

from pathlib import Path

import pytest
import skimage.data

from backend.clip.deadline import Deadline
from backend.clip.export.convert import export
from backend.clip.export.source import load
from backend.clip.photos.image import read_pixels
from backend.clip.recognition.candidates import View
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Ranking, Recognizer
from tests.launch import PROJECT

CHECKPOINT = PROJECT / "training" / "checkpoint"
PHOTOS = Path(str(skimage.data.__file__)).parent


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    folder = tmp_path_factory.mktemp("open")
    export(load(f"local-dir:{CHECKPOINT}", None), folder)
    return Recognizer(folder)


def seen(recognizer: Recognizer, name: str) -> View:
    return recognizer.embed(read_pixels((PHOTOS / name).read_bytes(), recognizer.manifest.image))


def rank(recognizer: Recognizer, view: View, *labels: str) -> Ranking:
    return recognizer.rank(view, recognizer.candidates(Query(labels=labels), Deadline.unlimited()), 5)


def test_one_wrong_label_has_the_score_one_and_no_confidence(recognizer: Recognizer) -> None:
    for photo in ("rocket.jpg", "chelsea.png", "coffee.png"):
        ranking = rank(recognizer, seen(recognizer, photo), "pizza")
        assert ranking.predictions[0].score == 1
        assert ranking.confidence < 0.02
        assert not ranking.recognized


def test_the_right_label_is_surer_than_any_wrong_one(recognizer: Recognizer) -> None:
    rocket = seen(recognizer, "rocket.jpg")
    right = rank(recognizer, rocket, "rocket", "dog")
    assert right.predictions[0].label == "rocket"
    for wrong in (["pizza"], ["cat", "dog"], ["a garden gnome"], ["apple", "pear", "bus"]):
        assert right.confidence > 10 * rank(recognizer, rocket, *wrong).confidence


def test_a_list_says_of_its_best_label_what_the_label_alone_says(recognizer: Recognizer) -> None:
    rocket = seen(recognizer, "rocket.jpg")
    alone = rank(recognizer, rocket, "rocket").confidence
    for labels in (["rocket", "dog"], ["pizza", "rocket", *(f"thing {i}" for i in range(50))]):
        ranking = rank(recognizer, rocket, *labels)
        assert ranking.predictions[0].label == "rocket"
        assert ranking.confidence == pytest.approx(alone, abs=0.1)
