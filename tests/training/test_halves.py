"""The share of heat in the right half, of photographs that are put side by side and above each other."""

from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from backend.clip.recognition.recognizer import Recognizer
from training.data import DataError
from training.halves import measure
from training.photos import Photo

_SKIMAGE = Path(str(skimage.data.__file__)).parent


def test_a_trained_model_finds_each_thing_in_its_half(trained: Path) -> None:
    things = {"cat": "chelsea.png", "espresso": "coffee.png", "rocket": "rocket.jpg"}
    photos = [Photo(_SKIMAGE / name, "", what, "") for what, name in things.items()]
    unknown = Photo(_SKIMAGE / "page.png", "", "a page about things", "")

    (asked, share, first, _) = measure(Recognizer(trained), [*photos, unknown], count=12, seed=0)

    assert asked[0].startswith("label asked for (24)")
    assert float(asked[1]) >= 0.9
    assert 0.5 < float(share[1]) < 1
    assert first[0].startswith("first of the everyday words")
    assert float(first[1]) >= 0.9


def test_a_model_that_explains_nothing_is_an_error(exported: dict[str, Path], tmp_path: Path) -> None:
    for name in ("cat", "car"):
        Image.new("RGB", (30, 20)).save(tmp_path / f"{name}.png")
    photos = [Photo(tmp_path / f"{name}.png", "", name, "") for name in ("cat", "car")]

    with pytest.raises(DataError, match="explains nothing"):
        measure(Recognizer(exported["resnet"]), photos, count=1, seed=0)
