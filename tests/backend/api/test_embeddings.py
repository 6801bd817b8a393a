"""OpenAI's embeddings form, by its own client and by hand; open_clip is the oracle."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import open_clip
import openai
import pytest
import requests
import torch
from numpy.typing import NDArray
from PIL import Image

from backend.clip.export.cifar100 import LABELS, TEMPLATES
from backend.clip.export.source import load
from tests.launch import PROJECT
from tests.pictures import encoded, huge_png, photo

CHECKPOINT = PROJECT / "training" / "checkpoint"
IMAGES = [photo(size, seed) for seed, size in enumerate([(640, 480), (200, 300), (64, 64)])]
LEAST = 0.995
"""The cosine of one embedding in bfloat16 and in float32."""


def uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


PHOTO = uri(encoded(IMAGES[2], "PNG"))
TINY = uri(encoded(IMAGES[2].resize((8, 8)), "PNG"))


def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url + "/v1", api_key="not needed", max_retries=0)


def embedded(url: str, inputs: list[str], **options: Any) -> NDArray[np.float32]:
    """By OpenAI's client, which asks for base64 unless it is told otherwise."""
    answer = client(url).embeddings.create(model="any", input=inputs, **options)
    assert [item.index for item in answer.data] == list(range(len(inputs)))
    return np.array([item.embedding for item in answer.data], np.float32)


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-3)
    return np.asarray((one * other).sum(axis=1))


def of_images(model: Any, preprocess: Any, images: list[Image.Image]) -> NDArray[np.float32]:
    with torch.no_grad():
        return np.asarray(model.encode_image(torch.stack([preprocess(image) for image in images]), normalize=True))


def test_texts_and_images_agree_with_open_clip(open_clip_url: str, checkpoints: dict[str, str]) -> None:
    source = load(checkpoints["vit"], None)
    texts = ["a photo of a cat.", "  Two  DOGS &amp; a cat ", "日本語", "🍎", "data: five apples, red", "a" * 70 + " b"]
    with torch.no_grad():
        of_texts = source.model.encode_text(source.tokenizer(texts), normalize=True).numpy()
    images = of_images(source.model, source.preprocess, IMAGES)
    uris = [uri(encoded(image, "PNG")) for image in IMAGES]

    mixed = embedded(open_clip_url, [uris[0], *texts[:3], *uris[1:], *texts[3:]])

    expected = np.concatenate([images[:1], of_texts[:3], images[1:], of_texts[3:]])
    assert cosines(mixed, expected).min() >= LEAST


def test_the_bundled_model_has_images_and_its_own_labels(clip_url: str) -> None:
    model = open_clip.create_model_from_pretrained(f"local-dir:{CHECKPOINT}")
    assert isinstance(model, tuple)
    clip, preprocess = model
    tokenizer = open_clip.get_tokenizer(f"local-dir:{CHECKPOINT}")
    names = ["apple", "Sweet pepper ", "PALM TREES", "worm"]
    labels = ["apple", "sweet pepper", "palm tree", "worm"]
    clip.eval()
    with torch.no_grad():
        prompts = [
            clip.encode_text(tokenizer([t.format(label) for t in TEMPLATES]), normalize=True) for label in labels
        ]
    means = np.array([(each.mean(dim=0) / each.mean(dim=0).norm()).numpy() for each in prompts])

    texts = embedded(clip_url, names)
    images = embedded(clip_url, [uri(encoded(image, "PNG")) for image in IMAGES])

    assert cosines(texts, means).min() >= 0.999
    assert cosines(images, of_images(clip, preprocess, IMAGES)).min() >= LEAST
    assert embedded(clip_url, list(LABELS)).shape == (100, 640)


def test_both_encodings_say_the_same(open_clip_url: str) -> None:
    inputs = ["a cat", PHOTO]

    one = requests.post(f"{open_clip_url}/v1/embeddings", json={"input": inputs, "encoding_format": "base64"}).json()
    other = requests.post(f"{open_clip_url}/v1/embeddings", json={"input": inputs, "model": "x", "user": "y"}).json()

    assert set(one) == {"object", "data", "model", "usage"}
    assert one["object"] == "list"
    assert one["model"] == "vit/local-dir"
    assert one["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    decoded = [np.frombuffer(base64.b64decode(item.pop("embedding")), "<f4").tolist() for item in one["data"]]
    assert decoded == [item.pop("embedding") for item in other["data"]]
    assert one == other
    assert one["data"] == [{"object": "embedding", "index": 0}, {"object": "embedding", "index": 1}]
    np.testing.assert_array_equal(
        embedded(open_clip_url, inputs, encoding_format="float", dimensions=64), np.array(decoded, np.float32)
    )
    alone = requests.post(f"{open_clip_url}/v1/embeddings", json={"input": "a cat"})
    assert len(alone.json()["data"]) == 1
    assert alone.headers["Server-Timing"].startswith("wait;dur=")


def test_a_thousand_texts_and_as_many_images_as_are_accepted(open_clip_url: str) -> None:
    texts = [f"a photo of thing {i}" for i in range(1000)]
    with ThreadPoolExecutor(2) as threads:
        many, images = threads.map(lambda inputs: embedded(open_clip_url, inputs), [texts, [PHOTO] * 64])
    assert many.shape == (1000, 64)
    assert len(np.unique(many, axis=0)) > 990
    assert len(np.unique(images, axis=0)) == 1


@pytest.mark.parametrize(
    ("changes", "status", "code", "words"),
    [
        ({"input": None}, 400, "bad_parameter", "input must be"),
        ({"input": []}, 400, "bad_parameter", "at least one"),
        ({"input": {"a": 1}}, 400, "bad_parameter", "input must be"),
        ({"input": 5}, 400, "bad_parameter", "input must be"),
        ({"input": [1, 2, 3]}, 400, "bad_parameter", "token arrays"),
        ({"input": [[1, 2], [3]]}, 400, "bad_parameter", "token arrays"),
        ({"input": ["a", None]}, 400, "bad_parameter", "input[1]"),
        ({"input": ["a", " \n"]}, 400, "bad_parameter", "input[1] is empty"),
        ({"input": ["a"] * 10_000}, 400, "bad_parameter", "10,000 inputs"),
        ({"input": ["a"] * 50_000}, 400, "bad_parameter", "50,000 inputs"),
        ({"input": ["a"] * 100_000}, 400, "bad_parameter", "over 262,144 bytes beside its images"),
        ({"input": [PHOTO] * 65}, 400, "bad_parameter", "images; at most 64"),
        ({"input": [TINY] * 65}, 400, "bad_parameter", "images; at most 64"),
        ({"input": "x " * 501}, 400, "bad_parameter", "1,002 characters"),
        ({"input": [f"{i} " + "x" * 220 for i in range(1000)]}, 400, "bad_parameter", "The texts have"),
        ({"input": "x " * 15_000_000}, 400, "bad_parameter", "An image is sent as a data URI"),
        ({"input": [PHOTO * 40, "é" * 150_000]}, 400, "bad_parameter", "input[1] has over 1,000 characters"),
        ({"user": "x" * 300_000}, 400, "bad_parameter", "Only an image, in 'input'"),
        ({"input": "1 " * 90}, 400, "bad_parameter", "92 tokens; at most 77"),
        ({"input": [f"{i} 2 3 4 5 6 7 8 9 0" * 5 for i in range(900)]}, 422, "too_many_labels", "16,384"),
        ({"input": "https://example.com/cat.jpg"}, 400, "bad_parameter", "URLs are not fetched here"),
        ({"input": base64.b64encode(bytes(2000)).decode()}, 400, "bad_parameter", "data URI"),
        ({"input": "data:image/png,rawbytes"}, 415, "unsupported_image", "not an image"),
        ({"input": "data:text/plain;base64,aGVsbG8="}, 415, "unsupported_image", "not an image"),
        ({"input": "data:image/png;base64,@@@@"}, 422, "corrupt_image", "base64"),
        ({"input": "data:image/png;base64,"}, 400, "empty_body", "no image"),
        ({"input": ["a", uri(b"\x89PNG\r\n\x1a\n" + bytes(99))]}, 422, "corrupt_image", "input[1]: "),
        ({"input": uri(huge_png(70_000, 1000))}, 413, "too_many_pixels", "67,108,864"),
        ({"input": uri(bytes(21 << 20))}, 413, "body_too_large", "20,971,520"),
        ({"encoding_format": "int8"}, 400, "bad_parameter", "encoding_format"),
        ({"encoding_format": ["float"]}, 400, "bad_parameter", "encoding_format"),
        ({"dimensions": 32}, 400, "bad_parameter", "can only be 64"),
        ({"dimensions": 64.0}, 400, "bad_parameter", "can only be 64"),
        ({"dimensions": True}, 400, "bad_parameter", "can only be 64"),
        ({"dimensions": 10**19}, 400, "bad_parameter", "can only be 64"),
        ({"dimensions": 10**20}, 400, "bad_parameter", "more than 20 digits"),
        ({"model": 5}, 400, "bad_parameter", "model"),
        ({"inputs": "a"}, 400, "bad_parameter", "'inputs'"),
    ],
)
def test_a_request_that_makes_no_sense(
    changes: dict[str, Any], status: int, code: str, words: str, open_clip_url: str
) -> None:
    answer = requests.post(f"{open_clip_url}/v1/embeddings", json={"input": "a cat"} | changes, timeout=60)

    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "type"}
    assert (error["code"], error["type"]) == (code, "invalid_request_error")
    assert words in error["message"]


def test_their_client_raises_what_it_documents(clip_url: str) -> None:
    for text, kind in (("a dog", openai.UnprocessableEntityError), (" ", openai.BadRequestError)):
        with pytest.raises(kind) as caught:
            client(clip_url).embeddings.create(model="any", input=text)
        assert isinstance(caught.value, openai.APIStatusError)
        assert caught.value.code in ("closed_vocabulary", "bad_parameter")
        assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize("body", [b"", b"a cat", b"[]", b'{"input": "a", "input": "b"}', b'{"input": "\\ud800"}'])
def test_what_is_no_json_object(body: bytes, open_clip_url: str) -> None:
    answer = requests.post(f"{open_clip_url}/v1/embeddings", data=body, timeout=60)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_parameter")
    assert "JSON" in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_and_paths(method: str, clip_url: str) -> None:
    answer = requests.request(method, f"{clip_url}/v1/embeddings", timeout=60)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert requests.post(f"{clip_url}/v1/model", timeout=60).status_code == 404
    assert requests.post(f"{clip_url}/v1/embeddings/", timeout=60).status_code == 404


def test_the_answer_is_one_line_of_json(open_clip_url: str) -> None:
    text = requests.post(f"{open_clip_url}/v1/embeddings", json={"input": ["a", "b"]}, timeout=60).text
    assert text.count("\n") == 1
    assert json.loads(text)
