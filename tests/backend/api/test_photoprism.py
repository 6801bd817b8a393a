"""The forms that PhotoPrism asks for labels in: its own, Ollama's and OpenAI's, as its client sends and reads them.

What it sends and how it reads an answer stands in its sources, in ``internal/ai/vision``.
"""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import openai
import pytest
import requests

from tests.backend.asking import post
from tests.launch import PROJECT
from tests.pictures import encoded, photo

COFFEE = (PROJECT / "docs" / "photos" / "coffee.jpg").read_bytes()
NOTHING = encoded(photo((64, 64)), "PNG")
"""Noise, by which no word is recognized."""
VISION, GENERATE, RESPONSES = "/api/v1/vision/labels", "/api/generate", "/v1/responses"
PROMPT = "Analyze the image and return label objects with name, confidence (0-1) and topicality (0-1)."
SCHEMA = {"type": "object", "properties": {"labels": {"type": "array"}}, "required": ["labels"]}


def uri(data: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def bare(data: bytes) -> str:
    return base64.b64encode(data).decode()


def vision(*images: str, **changes: Any) -> dict[str, Any]:
    """As its client sends it where a model of ``vision.yml`` has an address, and no format is named."""
    common = {"id": str(uuid.uuid4()), "model": "clip", "version": "latest", "suffix": "", "stream": False}
    return common | {"images": list(images)} | changes


def ollama(*images: str, **changes: Any) -> dict[str, Any]:
    """As it sends it with ``Engine: ollama``."""
    options = {"temperature": 0.1, "top_p": 0.9, "stop": ["\n\n"]}
    beside = {"model": "clip:latest", "system": "You output JSON.", "prompt": PROMPT, "format": "json", "think": False}
    return vision(*images) | beside | {"options": options, "schema": SCHEMA} | changes


def of_openai(*images: str, **changes: Any) -> dict[str, Any]:
    """As it sends it with ``Engine: openai``."""
    system = {"role": "system", "type": "message", "content": [{"type": "input_text", "text": "You label photos."}]}
    shown = [{"type": "input_image", "image_url": image, "detail": "low"} for image in images]
    user = {"role": "user", "type": "message", "content": [{"type": "input_text", "text": PROMPT}, *shown]}
    text = {"format": {"type": "json_schema", "name": "labels_v1", "schema": SCHEMA}}
    return {"model": "gpt-5-mini", "input": [system, user], "text": text, "max_output_tokens": 1024} | changes


Request = Callable[..., dict[str, Any]]
FORMS: list[tuple[str, Request, str]] = [
    (VISION, vision, "images"),
    (GENERATE, ollama, "images"),
    (RESPONSES, of_openai, "input_image"),
]


def labels_in(path: str, answer: requests.Response) -> list[dict[str, Any]]:
    """The labels that PhotoPrism finds in an answer."""
    assert answer.status_code == 200, answer.text
    said = answer.json()
    if path == VISION:
        return list(said["result"]["labels"])
    text = said["response"] if path == GENERATE else said["output"][0]["content"][0]["text"]
    return list(json.loads(text)["labels"])


def ask(url: str, path: str, body: dict[str, Any], **options: Any) -> requests.Response:
    return requests.post(url + path, json=body, headers={"Authorization": "Bearer any"}, timeout=60, **options)


def message(path: str, answer: requests.Response) -> str:
    """What PhotoPrism reads of an error: with its own form and Ollama's, ``error`` has to be a string."""
    said = answer.json()
    if path == RESPONSES:
        assert said["error"]["type"] == "invalid_request_error"
        return str(said["error"]["message"])
    assert said.keys() == {"code", "error"}
    assert said["code"] == answer.status_code
    assert isinstance(said["error"], str)
    return str(said["error"])


def tags(url: str, data: bytes) -> list[dict[str, Any]]:
    return list(post(url, data, params={"tags": "1"}).json()["tags"])


@pytest.mark.parametrize("form", [uri, bare])
@pytest.mark.parametrize(("path", "request_of", "_name"), FORMS)
def test_the_labels_are_the_words_that_are_recognized(
    path: str, request_of: Request, _name: str, form: Callable[[bytes], str], clip_url: str
) -> None:
    expected = tags(clip_url, COFFEE)
    assert expected

    found = labels_in(path, ask(clip_url, path, request_of(form(COFFEE))))

    assert [(each["name"], each["confidence"]) for each in found] == [(t["label"], t["confidence"]) for t in expected]
    assert all(each["topicality"] == each["confidence"] for each in found)
    if path == VISION:
        assert [each["categories"] for each in found] == [tag["path"] for tag in expected]
    else:  # its schema for these forms allows nothing else
        assert all(each.keys() == {"name", "confidence", "topicality"} for each in found)


def test_the_answer_in_photoprisms_own_form(clip_url: str) -> None:
    body = vision(uri(COFFEE))

    answer = ask(clip_url, VISION, body)

    said = answer.json()
    described = requests.get(clip_url, timeout=60).json()
    assert (said["id"], said["code"]) == (body["id"], 200)
    assert said["model"] == {"type": "labels", "name": described["model"]}
    assert said["result"].keys() == {"labels"}
    assert {each["source"] for each in said["result"]["labels"]} == {"image"}
    assert set(answer.headers) >= {"Server-Timing", "Content-Language"}


@pytest.mark.parametrize(("path", "request_of", "_name"), FORMS)
def test_what_is_not_recognized_has_no_labels(path: str, request_of: Request, _name: str, clip_url: str) -> None:
    assert tags(clip_url, NOTHING) == []
    assert labels_in(path, ask(clip_url, path, request_of(uri(NOTHING, "image/png")))) == []


@pytest.mark.parametrize(("path", "request_of", "_name"), FORMS)
def test_several_images_are_of_one_photo(path: str, request_of: Request, _name: str, clip_url: str) -> None:
    small = post(clip_url, COFFEE, params={"preview": "1"}).json()["preview"]
    confidences: dict[str, float] = {}
    for tag in (*tags(clip_url, COFFEE), *tags(clip_url, base64.b64decode(small.partition(",")[2]))):
        confidences[tag["label"]] = max(tag["confidence"], confidences.get(tag["label"], 0))

    found = labels_in(path, ask(clip_url, path, request_of(uri(NOTHING), uri(COFFEE), small)))

    assert {each["name"]: each["confidence"] for each in found} == confidences
    assert [each["confidence"] for each in found] == sorted(confidences.values(), reverse=True)


@pytest.mark.parametrize(("path", "request_of", "_name"), FORMS)
def test_large_images_with_escapes(path: str, request_of: Request, _name: str, clip_url: str) -> None:
    large = uri(COFFEE + bytes(3_000_000))
    body = json.dumps(request_of(large, large)).replace("/", r"\/").encode()

    answer = requests.post(clip_url + path, data=body, timeout=60)

    assert labels_in(path, answer) == labels_in(path, ask(clip_url, path, request_of(uri(COFFEE))))


@pytest.mark.parametrize(("path", "request_of", "_name"), FORMS)
def test_labels_in_another_language(path: str, request_of: Request, _name: str, clip_url: str) -> None:
    expected = post(clip_url, COFFEE, params={"tags": "1", "lang": "de"}).json()["tags"]

    answer = ask(clip_url, path, request_of(uri(COFFEE)), params={"lang": "de"})

    assert [each["name"] for each in labels_in(path, answer)] == [tag["label"] for tag in expected]
    assert answer.headers["Content-Language"] == "de"
    assert "'top_k'" in message(path, ask(clip_url, path, request_of(uri(COFFEE)), params={"top_k": "3"}))


@pytest.mark.parametrize(
    ("images", "status", "words"),
    [
        ((), 400, "at least one image"),
        (("https://example.com/photo.jpg",), 400, "[0] is a URL, and URLs are not fetched here"),
        ((uri(COFFEE), 5), 400, "[1] must be a string"),
        ((None,), 400, "[0] must be a string"),
        (([uri(COFFEE)],), 400, "[0] must be a string"),
        (("",), 400, "[0]: "),
        (("photo.jpg",), 415, "[0]: This is not an image"),
        ((uri(COFFEE), uri(b"text")), 415, "[1]: This is not an image"),
        ((uri(COFFEE[:400]),), 422, "[0]: "),
        ((uri(bytes(21 << 20)),), 413, "[0]: "),
        ((uri(NOTHING),) * 65, 400, "at most 64"),
        ((uri(COFFEE),) * 65, 400, "at most 64"),
    ],
)
@pytest.mark.parametrize(("path", "request_of", "name"), FORMS)
def test_images_that_make_no_sense(
    path: str, request_of: Request, name: str, images: tuple[Any, ...], status: int, words: str, clip_url: str
) -> None:
    answer = ask(clip_url, path, request_of(*images))

    assert answer.status_code == status, answer.text
    assert (name if words.startswith("[") else "") + words in message(path, answer)


LONG = "x" * 300_000
WRONG: list[tuple[str, Request, dict[str, Any], str]] = [
    (VISION, vision, {"id": 5}, "id must be a string"),
    (VISION, vision, {"id": "x" * 201}, "at most 200 characters"),
    (VISION, vision, {"url": "https://example.com/photo.jpg"}, "No url is fetched"),
    (VISION, vision, {"images": uri(COFFEE)}, "at least one image"),
    (VISION, vision, {"images": {"0": uri(COFFEE)}}, "at least one image"),
    (VISION, vision, {"prompt": LONG}, "Only an image, in 'images'"),
    (VISION, vision, {"images": [], "url": uri(COFFEE * 9)}, "Only an image, in 'images'"),
    (VISION, vision, {"options": [list(range(60_000))]}, "beside its images"),
    (VISION, vision, {"options": 10**20}, "more than 20 digits"),
    (GENERATE, ollama, {"images": None}, "at least one image"),
    (GENERATE, ollama, {"system": LONG}, "Only an image, in 'images'"),
    (RESPONSES, of_openai, {"input": "What is this?"}, "input must be an array"),
    (RESPONSES, of_openai, {"input": [5, {"content": 5}, {"content": [5, {"type": []}]}]}, "at least one image"),
    (RESPONSES, of_openai, {"stream": True}, "does not stream"),
    (RESPONSES, of_openai, {"instructions": LONG}, "Only an image, in 'image_url'"),
    (RESPONSES, of_openai, {"input": [{"content": [{"type": "input_text", "text": LONG}]}]}, "Only an image"),
    (RESPONSES, of_openai, {"input": [{"content": [{"type": LONG, "image_url": "x"}]}]}, "Only an image"),
]


@pytest.mark.parametrize(("path", "request_of", "changes", "words"), WRONG)
def test_requests_that_make_no_sense(
    path: str, request_of: Request, changes: dict[str, Any], words: str, clip_url: str
) -> None:
    answer = ask(clip_url, path, request_of(uri(COFFEE), **changes))

    assert answer.status_code == 400, answer.text
    assert words in message(path, answer)


@pytest.mark.parametrize("path", [VISION, GENERATE, RESPONSES])
def test_what_is_no_json_object_and_other_methods(path: str, clip_url: str) -> None:
    for body in (b"", b"[]", b"\xff", COFFEE, b'{"images": ["a"], "images": []}', b'{"images": ' + b"[" * 100_000):
        answer = requests.post(clip_url + path, data=body, timeout=60)
        assert answer.status_code == 400
        assert "JSON" in message(path, answer)
    other = requests.get(clip_url + path, timeout=60)
    assert (other.status_code, other.headers["Allow"]) == (405, "POST")
    assert message(path, other) == "This address takes POST."


def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url + "/v1", api_key="not needed", max_retries=0)


def test_openais_own_client_understands_it(clip_url: str) -> None:
    response = client(clip_url).responses.create(**of_openai(uri(COFFEE)))

    assert response.status == "completed"
    assert [each["name"] for each in json.loads(response.output_text)["labels"]] == [
        tag["label"] for tag in tags(clip_url, COFFEE)
    ]
    with pytest.raises(openai.UnprocessableEntityError, match="input_image\\[0\\]: "):
        client(clip_url).responses.create(**of_openai(uri(COFFEE[:400])))


def test_the_models_by_openais_own_client(clip_url: str) -> None:
    [model] = client(clip_url).models.list()

    assert model.id == requests.get(clip_url, timeout=60).json()["model"]
    assert (model.object, model.owned_by) == ("model", "clip")
    wrong = requests.post(f"{clip_url}/v1/models", timeout=60)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD")
    assert wrong.json()["error"]["type"] == "invalid_request_error"
