"""Pictures of two things, and what counts as a right and as a wrong tag of them."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import skimage.data

from backend.clip.export.words import read_words
from backend.clip.manifest import Manifest
from backend.clip.recognition.recognizer import Recognizer
from training import composites
from training.composites import LAYOUTS, judge, measure, pictures
from training.data import DataError
from training.photos import INDEX, Photo
from training.truth import known

MODEL = Path("backend/clip/model")
_SKIMAGE = Path(str(skimage.data.__file__)).parent
_THINGS = {"cat": "chelsea.png", "espresso": "coffee.png"}


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(MODEL, precision="f32")


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    return [Photo(_SKIMAGE / name, "mine", what, "") for what, name in _THINGS.items()]


def test_a_tag_is_right_for_one_thing_and_wrong_for_none(recognizer: Recognizer, photos: list[Photo]) -> None:
    words = read_words()
    cat, espresso = (truth for _, truth in known(photos, words, recognizer.everyday))
    dogs = [Photo(_SKIMAGE / "chelsea.png", "mine", "dog", "")]
    ((_, dog),) = known(dogs, words, recognizer.everyday)

    def judged(*tags: str, of: tuple = (cat, espresso)) -> tuple[list[bool], bool]:  # type: ignore[type-arg]
        return judge([words.index(tag) for tag in tags], of, words)

    assert judged("cat", "espresso") == ([True, True], False)
    assert judged("tabby", "food") == ([True, True], False)
    assert judged("cat", "rocket") == ([True, False], True)
    assert judged("animal", of=(cat, dog)) == ([False, False], False)  # it says which of them no more than neither
    assert judged("animal") == ([True, False], False)


def test_the_layouts_show_both_photographs(recognizer: Recognizer, photos: list[Photo]) -> None:
    words = read_words()
    shown = known(photos, words, recognizer.everyday)

    made = list(pictures(words, shown, 3, random.Random(0)))

    assert [picture.layout for picture in made] == list(LAYOUTS)
    assert all({t.word for t in picture.truths} == {t.word for _, t in shown} for picture in made)
    with pytest.raises(DataError, match="not related"):
        next(pictures(words, shown[:1], 1, random.Random(0)))


def test_parts_find_more_than_the_whole(recognizer: Recognizer, photos: list[Photo], tmp_path: Path) -> None:
    folder = shutil.copytree(MODEL, tmp_path / "model")
    manifest = Manifest.read(folder)
    replace(manifest, confidence=replace(manifest.confidence, parts=None)).write(folder)

    def beside(model: Recognizer) -> float:
        return float(measure(model, photos, 2, 0)[0][1])

    assert beside(recognizer) > beside(Recognizer(folder, precision="f32"))


def test_the_fit_is_written_into_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, folder, out = shutil.copytree(MODEL, tmp_path / "model"), tmp_path / "photos", tmp_path / "fitted.json"
    folder.mkdir()
    lines = ["file\tsource\twhat\tlabel"]
    for what, name in (*_THINGS.items(), ("rocket", "rocket.jpg"), ("dog", "astronaut.png")):
        shutil.copy(_SKIMAGE / name, folder / name)
        lines.append(f"{name}\tmine\t{what}\t")
    (folder / INDEX).write_text("\n".join(lines) + "\n")
    fixed = ("--photos", folder, "--pictures", "4", "--model")

    def run(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["composites", *map(str, arguments)])
        return composites.main()

    assert run("fit", *fixed, model, "--out", out) == 0
    written = Manifest.read(model).confidence.parts
    assert written is not None
    assert written == json.loads(out.read_text())["parts"]
    assert written["share"] > 0
    assert written != Manifest.read(MODEL).confidence.parts
    assert run("measure", *fixed, "nowhere") == 1
    assert capsys.readouterr().err.startswith("composites: ")
