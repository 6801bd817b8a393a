"""Labels that a closed vocabulary does not know: named with what may be meant, or left out."""

import base64
from typing import Any

import pytest
import requests

from backend.clip import limits
from tests.backend.asking import error_code, post, top
from tests.pictures import encoded, photo

PHOTO = encoded(photo((320, 240)), "JPEG")
FLAMINGO = {"label": "flamnigo", "near": ["flamingo"]}
SKIP = {"unknown": "skip"}


@pytest.fixture(params=["clip", "index"])
def url(request: pytest.FixtureRequest, clip_url: str) -> str:
    return clip_url.replace("clip", request.param)


def refused(answer: requests.Response) -> dict[str, Any]:
    assert (answer.status_code, error_code(answer)) == (422, "closed_vocabulary")
    problem: dict[str, Any] = answer.json()["error"]
    return problem


def test_the_error_names_each_word_with_what_may_be_meant(url: str) -> None:
    for parameters in ({}, {"unknown": "error"}, {"unknown": ""}):
        problem = refused(post(url, PHOTO, params={"labels": "cat,dog,flamnigo,Qwertz", **parameters}))
        assert problem["unknown"] == [FLAMINGO, {"label": "Qwertz", "near": []}]
        assert "does not know: flamnigo (near: flamingo), Qwertz. GET / lists" in problem["message"]
        assert problem["message"].endswith("unknown=skip answers with the other labels.")


def test_the_others_are_answered(url: str) -> None:
    parameters = {"labels": "cat,Dogs,flamnigo", **SKIP}
    known = post(url, PHOTO, params={"labels": "cat,Dogs"}).json()

    in_query = post(url, PHOTO, params=parameters)
    in_form = requests.post(url, files={"photo": PHOTO}, data=parameters, timeout=60)

    assert in_query.json() == in_form.json() == known | {"unknown": [FLAMINGO]}
    assert in_query.headers["X-Unknown"] == in_form.headers["X-Unknown"] == "1"


def test_text_has_the_others_and_how_many_were_left_out(url: str) -> None:
    accept = {"Accept": "text/plain"}
    known = post(url, PHOTO, params={"labels": "cat,dog"}, headers=accept)

    answer = post(url, PHOTO, params={"labels": "cat,dog,flamnigo,qwertz", **SKIP}, headers=accept)

    assert answer.text == known.text
    assert answer.headers["X-Unknown"] == "2"
    assert "X-Unknown" not in known.headers


def test_of_several_photos_it_is_said_once(url: str) -> None:
    files = [("photo", (f"{number}.jpg", PHOTO)) for number in range(3)]
    known = requests.post(url, files=files, data={"labels": "cat,dog"}, timeout=60).json()

    answer = requests.post(url, files=files, data={"labels": "cat,dog,flamnigo", **SKIP}, timeout=60)
    wrong = requests.post(url, files=files, data={"labels": "cat,dog,flamnigo"}, timeout=60)

    assert answer.json() == known | {"unknown": [FLAMINGO]}
    assert refused(wrong)["unknown"] == [FLAMINGO]


def test_hugging_faces_form(url: str) -> None:
    def asked(labels: list[str], **parameters: str) -> requests.Response:
        inputs = {"inputs": base64.b64encode(PHOTO).decode(), "parameters": {"candidate_labels": labels, **parameters}}
        return requests.post(url, json=inputs, timeout=60)

    answer = asked(["cat", "flamnigo", "dog"], **SKIP)

    assert answer.json() == asked(["cat", "dog"]).json()
    assert answer.headers["X-Unknown"] == "1"
    assert refused(asked(["cat", "flamnigo"]))["unknown"] == [FLAMINGO]
    assert refused(asked(["flamnigo"], **SKIP))["unknown"] == [FLAMINGO]
    for value in ("none", 1, True, ["skip"]):
        assert error_code(asked(["cat"], unknown=value)) == "bad_parameter"  # type: ignore[arg-type]


def test_where_none_is_left_it_is_the_error(url: str) -> None:
    problem = refused(post(url, PHOTO, params={"labels": "flamnigo,qwertz", **SKIP}))

    assert [unknown["label"] for unknown in problem["unknown"]] == ["flamnigo", "qwertz"]
    assert "unknown=skip" not in problem["message"]


def test_nothing_is_said_where_nothing_is_left_out(clip_url: str) -> None:
    for parameters in ({}, {"labels": "cat,dog"}, {"vocabulary": "everyday"}):
        plain = post(clip_url, PHOTO, params=parameters)
        answer = post(clip_url, PHOTO, params={**parameters, "unknown": " Skip "})
        assert answer.json() == plain.json()
        assert "unknown" not in answer.json()
        assert "X-Unknown" not in answer.headers


def test_an_open_vocabulary_knows_every_word(open_clip_url: str) -> None:
    parameters = {"labels": "cat,flamnigo,日本語"}

    answer = post(open_clip_url, PHOTO, params={**parameters, **SKIP})

    assert answer.json() == post(open_clip_url, PHOTO, params=parameters).json()
    assert set(top(answer)) == {"cat", "flamnigo", "日本語"}


@pytest.mark.parametrize("value", ["1", "skipped", "skip,error", "x" * 9999])
def test_a_value_that_makes_no_sense(value: str, clip_url: str) -> None:
    answer = post(clip_url, PHOTO, params={"labels": "cat", "unknown": value})

    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
    assert answer.json()["error"]["message"] == "unknown must be one of skip, error."


def test_as_many_unknown_labels_as_are_accepted(url: str) -> None:
    """As many photos with as many labels as long as they may be: none of them is repeated for each photo."""
    labels = ["cat", *(f"{number} " + "猫" * (limits.MAX_LABEL_CHARACTERS - 5) for number in range(1, 1000))]
    files = [("photo", (f"{number}.jpg", PHOTO)) for number in range(limits.MAX_IMAGES)]
    fields = [("labels", (None, label)) for label in labels] + [("unknown", (None, "skip"))]

    answer = requests.post(url, files=[*files, *fields], timeout=60)

    assert [unknown["label"] for unknown in answer.json()["unknown"]] == labels[1:]
    assert answer.json()["results"] == [answer.json()["results"][0]] * limits.MAX_IMAGES
    assert len(answer.content) < 1 << 20
    assert refused(post(url, PHOTO, params={"labels": labels[1:100]}))["unknown"] == [
        {"label": label, "near": []} for label in labels[1:100]
    ]


def test_the_first_ten_get_near_words(clip_url: str) -> None:
    labels = [f"flamnig{letter}" for letter in "abcdefghijklmnopqrst"]

    unknown = refused(post(clip_url, PHOTO, params={"labels": labels}))["unknown"]

    assert [entry["label"] for entry in unknown] == labels
    assert [len(entry["near"]) for entry in unknown] == [1] * 10 + [0] * 10
