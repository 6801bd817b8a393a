"""Hugging Face's zero-shot form, by its own client and by hand."""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import requests
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from tests.backend.asking import error_code, post
from tests.launch import Running
from tests.pictures import encoded, photo

PHOTO = encoded(photo((320, 240)), "JPEG", quality=90)
TEXT = base64.b64encode(PHOTO).decode()


def pairs(elements: Any) -> list[tuple[str, float]]:
    return [(element["label"], element["score"]) for element in elements]


def test_their_client_gets_what_a_post_of_the_photo_gets(clip_url: str) -> None:
    labels = ["pear", "apple", "Sweet Pepper"]
    client = InferenceClient(model=clip_url)

    answer = client.zero_shot_image_classification(PHOTO, candidate_labels=labels)

    assert pairs(answer) == pairs(post(clip_url, PHOTO, params={"labels": labels}).json()["predictions"])
    assert sum(element.score for element in answer) == pytest.approx(1, abs=1e-4)


def test_their_client_with_a_template(open_clip_url: str) -> None:
    labels = ["a dog, asleep", "Katze", "日本語"]
    client = InferenceClient(model=open_clip_url)

    answer = client.zero_shot_image_classification(PHOTO, candidate_labels=labels, hypothesis_template="a drawing: {}")

    parameters = {"labels": labels, "template": "a drawing: {}"}
    assert pairs(answer) == pairs(post(open_clip_url, PHOTO, params=parameters).json()["predictions"])


def test_their_client_says_what_is_wrong(clip_url: str) -> None:
    client = InferenceClient(model=clip_url)

    with pytest.raises(HfHubHTTPError, match="flamnigo \\(near: flamingo\\)"):
        client.zero_shot_image_classification(PHOTO, candidate_labels=["apple", "flamnigo"])
    with pytest.raises(HfHubHTTPError, match="not an image"):
        client.zero_shot_image_classification(b"text", candidate_labels=["apple", "pear"])


def test_without_labels_the_models_own_are_ranked(clip_url: str) -> None:
    expected = pairs(post(clip_url, PHOTO).json()["predictions"])

    beside: tuple[dict[str, Any], ...] = (
        {},
        {"parameters": None},
        {"parameters": {"candidate_labels": None}},
        {"options": {}},
    )
    for parameters in beside:
        answer = post(clip_url, json.dumps({"inputs": TEXT, **parameters}).encode())
        assert pairs(answer.json()) == expected
    assert pairs(InferenceClient(model=clip_url).image_classification(PHOTO, top_k=3)) == expected[:3]
    uri = post(clip_url, json.dumps({"inputs": "data:image/jpeg;base64," + TEXT}).encode())
    assert pairs(uri.json()) == expected
    assert set(uri.headers) >= {"Server-Timing", "X-Confidence", "X-Recognized"}


def with_labels(**parameters: Any) -> dict[str, Any]:
    return {"inputs": TEXT, "parameters": {"candidate_labels": ["apple", "pear"], **parameters}}


@pytest.mark.parametrize(
    ("request_object", "code", "words"),
    [
        ({"image": TEXT}, "unsupported_image", '"inputs"'),
        ({}, "unsupported_image", "'inputs'"),
        ({"inputs": 5}, "bad_parameter", "base64 string"),
        ({"inputs": None}, "bad_parameter", "base64 string"),
        ({"inputs": [TEXT]}, "bad_parameter", "base64 string"),
        ({"inputs": ""}, "empty_body", "no image"),
        ({"inputs": "https://example.com/cat.jpg"}, "unsupported_image", "URLs are not fetched here"),
        ({"inputs": "@@@@"}, "unsupported_image", "not an image"),
        ({"inputs": TEXT[:-3] + "@@@"}, "corrupt_image", "base64"),
        ({"inputs": "data:text/plain;base64,aGVsbG8="}, "unsupported_image", "not an image"),
        ({"inputs": TEXT, "model": "x"}, "bad_parameter", "'model'"),
        ({"inputs": TEXT, "parameters": []}, "bad_parameter", "an object"),
        ({"inputs": TEXT, "parameters": "apple"}, "bad_parameter", "an object"),
        ({"inputs": TEXT, "parameters": {"labels": ["apple"]}}, "bad_parameter", "candidate_labels"),
        ({"inputs": TEXT, "parameters": {"x" * 999: 1}}, "bad_parameter", "…'"),
        (with_labels(candidate_labels="apple, pear"), "bad_parameter", "array of strings"),
        (with_labels(candidate_labels=[]), "bad_parameter", "at least one"),
        (with_labels(candidate_labels=[" "]), "bad_parameter", "at least one"),
        (with_labels(candidate_labels=["apple", 5]), "bad_parameter", "array of strings"),
        (with_labels(candidate_labels=[["apple"]]), "bad_parameter", "array of strings"),
        (with_labels(candidate_labels=[f"thing {i}" for i in range(10_000)]), "bad_parameter", "10,000 labels"),
        (with_labels(candidate_labels=["x" * 201]), "bad_parameter", "201 characters"),
        (with_labels(candidate_labels=["apple", "flamnigo"]), "closed_vocabulary", "near: flamingo"),
        (with_labels(hypothesis_template="a {}"), "closed_vocabulary", "template"),
        (with_labels(hypothesis_template="no place"), "bad_parameter", "exactly once"),
        (with_labels(hypothesis_template=5), "bad_parameter", "a string"),
        (with_labels(top_k=True), "bad_parameter", "top_k"),
        (with_labels(top_k=1.0), "bad_parameter", "top_k"),
        (with_labels(top_k="1"), "bad_parameter", "top_k"),
        (with_labels(top_k=0), "bad_parameter", "top_k"),
        (with_labels(top_k=10**19), "bad_parameter", "top_k"),
        (with_labels(top_k=10**20), "bad_parameter", "more than 20 digits"),
        (with_labels(candidate_labels=["x " * 15_000_000]), "bad_parameter", "Only an image, in 'inputs'"),
        (with_labels(hypothesis_template="{}" + "x" * 300_000), "bad_parameter", "Only an image, in 'inputs'"),
        (with_labels(candidate_labels=[" " * 10_000 + "apple"] * 27), "bad_parameter", "bytes beside its images"),
        (with_labels(top_k=[[9] * 1000] * 100), "bad_parameter", "bytes beside its images"),
        ({"inputs": TEXT, "x" * 300_000: 1}, "bad_parameter", "not valid JSON"),
        ({"inputs": TEXT, "options": "x" * 300_000}, "bad_parameter", "Only an image, in 'inputs'"),
        ({"image": "x" * 300_000}, "unsupported_image", '"inputs"'),
    ],
)
def test_a_request_that_makes_no_sense(request_object: Any, code: str, words: str, clip_url: str) -> None:
    answer = requests.post(clip_url, json=request_object, timeout=60)

    assert error_code(answer) == code
    assert answer.status_code == {"bad_parameter": 400, "empty_body": 400, "unsupported_image": 415}.get(code, 422)
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize("accept", ["text/html", "text/html,application/xml;q=0.9,*/*;q=0.8", "text/plain", "*/*", ""])
def test_through_index_whatever_is_accepted(accept: str, application: Running) -> None:
    body, index = {"inputs": TEXT, "parameters": {"top_k": 2}}, f"{application.url}/function/index"

    answer = requests.post(index, json=body, headers={"Accept": accept}, timeout=60)
    wrong = requests.post(index, data=b'\xef\xbb\xbf {"inputs": 5}', headers={"Accept": accept}, timeout=60)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert pairs(answer.json()) == pairs(post(f"{application.url}/function/clip", PHOTO).json()["predictions"])[:2]
    assert (wrong.status_code, error_code(wrong)) == (400, "bad_parameter")


def escaped_by_php(text: str) -> str:
    return text.replace("/", r"\/")


def escaped_by_dotnet(text: str) -> str:
    return text.replace("+", r"\u002B").replace("=", r"\u003d")


def in_lines(text: str) -> str:
    return r"\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))


@pytest.mark.parametrize("size", [60_000, 4_000_000])
@pytest.mark.parametrize("escape", [str, escaped_by_php, escaped_by_dotnet, in_lines])
def test_a_photo_of_any_size_with_the_escapes_of_any_encoder(
    escape: Callable[[str], str], size: int, clip_url: str
) -> None:
    data = PHOTO + np.random.default_rng(0).bytes(size)
    text = escape(base64.b64encode(data).decode())
    for prefix in ("", "data:image/jpeg;base64,", r"data:image\/jpeg;base64,"):
        answer = post(clip_url, f'{{"inputs": "{prefix}{text}", "parameters": {{"top_k": 3}}}}'.encode())
        assert pairs(answer.json()) == pairs(post(clip_url, data, params={"top_k": 3}).json()["predictions"])


@pytest.mark.parametrize("inside", ["\n", r"\\/", r"\\u002b", r"\x", r"\u00e9", "é", "\\"])
def test_what_is_in_no_base64(inside: str, clip_url: str) -> None:
    text = base64.b64encode(PHOTO + bytes(400_000)).decode()

    answer = post(clip_url, f'{{"inputs": "{text[:80_000]}{inside}{text[80_000:]}"}}'.encode())

    assert error_code(answer) in ("corrupt_image", "bad_parameter")


def test_parameters_do_not_go_into_the_query(clip_url: str) -> None:
    answer = requests.post(clip_url, json={"inputs": TEXT}, params={"top_k": 3}, timeout=60)

    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")


def test_an_image_that_is_too_large(clip_url: str) -> None:
    text = base64.b64encode(PHOTO + bytes(21 << 20)).decode()

    answer = requests.post(clip_url, json={"inputs": text}, timeout=60)

    assert (answer.status_code, error_code(answer)) == (413, "body_too_large")


@pytest.mark.parametrize("mimetype", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("change", [lambda text: text, lambda text: "\ufeff" + text, lambda text: " \r\n" + text])
def test_json_is_known_by_its_first_bytes(mimetype: str, change: Callable[[str], str], clip_url: str) -> None:
    body = change(json.dumps({"inputs": TEXT}, indent=1)).encode()

    assert len(post(clip_url, body, headers={"Content-Type": mimetype}).json()) == 5
