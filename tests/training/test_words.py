"""Figures of the everyday words: what counts as right, and what as too general."""

from pathlib import Path

import pytest
import skimage.data

from backend.clip.export.words import read_words
from backend.clip.recognition.recognizer import Recognizer
from training import words as command
from training.answers import Answer
from training.data import DataError
from training.photos import Photo
from training.truth import Truth, known
from training.words import judge, measure

MODEL = Path("backend/clip/model")
_SKIMAGE = Path(str(skimage.data.__file__)).parent


def truth(source: str, what: str, label: str = "") -> Truth:
    ((_, found),) = known(
        [Photo(Path("photo.jpg"), source, what, label)], read_words(), Recognizer(MODEL, precision="f32").everyday
    )
    return found


@pytest.mark.parametrize(
    ("labels", "right", "exact", "missed", "levels"),
    [
        (("beagle", "dog"), True, True, False, 0),
        (("dog", "beagle", "animal"), True, False, True, 1),
        (("animal", "dog"), True, False, True, 3),
        (("dog", "boxer"), True, False, False, 1),
        (("boxer", "beagle"), False, False, False, 0),
    ],
)
def test_an_answer_to_a_photograph_of_a_beagle(
    labels: tuple[str, ...], right: bool, exact: bool, missed: bool, levels: int
) -> None:
    judged = judge(Answer(labels, 0.9, True), truth("imagenet-sample", "beagle"), read_words())

    assert (judged.right, judged.exact, judged.missed, judged.levels) == (right, exact, missed, levels)
    assert judged.general == (labels[0] in ("dog", "animal"))


def test_a_kind_of_what_is_known_may_be_right() -> None:
    words, dog = read_words(), truth("pets", "dog")

    assert judge(Answer(("beagle", "dog"), 0.9, True), dog, words).exact
    assert not judge(Answer(("cat", "dog"), 0.9, True), dog, words).right
    assert words.names[truth("mine", "a synonym", "aquarium fish").word] == "aquarium fish"
    assert words.names[truth("mine", "puppies").word] == "dog"


def test_the_table_of_photographs_that_a_word_names() -> None:
    recognizer = Recognizer(MODEL, precision="f32")
    photos = [
        Photo(_SKIMAGE / "coffee.png", "mine", "espresso", ""),
        Photo(_SKIMAGE / "page.png", "mine", "a page", ""),
    ]

    rows = dict(measure(recognizer, photos, "all"))

    assert rows["other photographs (1): the first word is right"] == "1.000"
    assert rows["  right, and as specific as what is known"] == "1.000"
    with pytest.raises(DataError, match="names"):
        measure(recognizer, photos[1:], "all")


def test_a_missing_folder_is_a_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["words", "--photos", "nowhere"])

    assert command.main() == 1
    assert capsys.readouterr().err.startswith("words: nowhere: no such folder")
