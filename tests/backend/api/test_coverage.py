"""Sets of labels that hold the right one for a share of photos."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
import skimage.data

from backend.clip.export.cifar100 import LABELS
from tests.backend.asking import error_code, post
from tests.pictures import encoded, photo

PHOTO = encoded(photo((96, 64)), "JPEG")
_PHOTOS = Path(str(skimage.data.__file__)).parent


def chosen(url: str, data: bytes = PHOTO, **parameters: Any) -> dict[str, Any]:
    answer = post(url, data, params={"coverage": "0.9", **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["set"]
    return found


def test_a_set_holds_what_is_likely_enough(clip_url: str) -> None:
    rocket = (_PHOTOS / "rocket.jpg").read_bytes()

    sets = {level: chosen(clip_url, rocket, coverage=str(level)) for level in (0.5, 0.8, 0.9, 0.95, 0.99)}

    assert all(found["coverage"] == level for level, found in sets.items())
    assert sets[0.9]["labels"][0] == "rocket"
    ordered = [found["labels"] for found in sets.values()]
    assert all(less == more[: len(less)] for less, more in pairwise(ordered))
    assert all(set(labels) <= set(LABELS) for labels in ordered)


def test_what_no_label_names_is_something_else(clip_url: str) -> None:
    cat = (_PHOTOS / "chelsea.png").read_bytes()

    assert chosen(clip_url, cat) == {"coverage": 0.9, "labels": [], "something_else": True}


def test_of_some_labels_it_is_the_part_of_the_same_set(clip_url: str) -> None:
    rocket = (_PHOTOS / "rocket.jpg").read_bytes()
    whole = chosen(clip_url, rocket, coverage="0.99")
    assert "rocket" in whole["labels"]

    assert chosen(clip_url, rocket, coverage="0.99", labels="Rockets") == {
        "coverage": 0.99,
        "labels": ["Rockets"],
        "something_else": whole["something_else"] or whole["labels"] != ["rocket"],
    }
    assert chosen(clip_url, rocket, labels="apple,pear") == {"coverage": 0.9, "labels": [], "something_else": True}
    assert chosen(clip_url, rocket, labels="rocket,flamnigo", unknown="skip")["labels"] == ["rocket"]


def test_a_request_that_does_not_ask_gets_none(clip_url: str) -> None:
    plain = post(clip_url, PHOTO).json()

    assert "set" not in plain
    assert post(clip_url, PHOTO, params={"coverage": ""}).json() == plain
    answer = post(clip_url, PHOTO, params={"coverage": "0.9"}).json()
    assert answer.pop("set")
    assert answer == plain


@pytest.mark.parametrize("level", ["0.5", ".5", "0.5000001", " 0.90 ", "0.99", "0.9000000000"])
def test_a_level_may_be_any_that_is_calibrated(level: str, clip_url: str) -> None:
    assert chosen(clip_url, coverage=level)["coverage"] == float(level)


@pytest.mark.parametrize(
    "level",
    [
        *("nan", "1e9", "-0", "0", "1", "1.0", "0.991", "0.4999999", "0.9999999999", "-0.9", "inf", "9e-1", "0,9"),
        *("0_.9", "\u0660.\u0669", "0.9" + "0" * 5000, "0x.9", "90%", "true", "0.9.9", "0.9\x00", "猫"),
    ],
)
def test_a_level_that_makes_no_sense(level: str, clip_url: str) -> None:
    index = clip_url.replace("clip", "index")
    for url in (clip_url, index):
        answer = post(url, PHOTO, params={"coverage": level})
        assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
        assert "such as 0.9" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "parameters", [{"vocabulary": "everyday"}, {"labels": "apple,cat"}, {"labels": "cat,flamnigo", "unknown": "skip"}]
)
def test_what_it_is_not_calibrated_for(parameters: dict[str, str], clip_url: str) -> None:
    answer = post(clip_url, PHOTO, params={"coverage": "0.9", **parameters})

    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
    assert "own labels" in answer.json()["error"]["message"]


def test_a_model_without_such_a_calibration_says_so(open_clip_url: str) -> None:
    answer = post(open_clip_url, PHOTO, params={"coverage": "0.9"})

    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
    assert "leave coverage out" in answer.json()["error"]["message"]
    assert requests.get(open_clip_url, timeout=60).json()["coverage"] is None


def test_the_description_says_what_can_be_asked(clip_url: str) -> None:
    said = requests.get(clip_url, timeout=60).json()["coverage"]

    assert (said["least"], said["most"]) == (0.5, 0.99)
    assert "calibrated on" in said["source"]


def test_in_a_form_each_photo_has_its_own(clip_url: str) -> None:
    rocket = (_PHOTOS / "rocket.jpg").read_bytes()
    alone = [chosen(clip_url, each) for each in (PHOTO, rocket)]

    files = [("photo", (f"{number}.jpg", each)) for number, each in enumerate([PHOTO, rocket] * 32)]
    for url in (clip_url, clip_url.replace("clip", "index")):
        answer = requests.post(url, files=files, data={"coverage": "0.9"}, timeout=60)
        assert [result["set"] for result in answer.json()["results"]] == alone * 32
