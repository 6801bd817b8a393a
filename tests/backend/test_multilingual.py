"""A SigLIP model with random weights, served and asked over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from backend.clip.export.source import load
from tests.launch import local
from tests.pictures import encoded


@pytest.fixture(scope="module")
def url(exported: dict[str, Path]) -> Iterator[str]:
    with local("--model", str(exported["siglip"])) as program:
        yield program.url + "/function/clip"


@pytest.fixture(scope="module")
def image() -> Image.Image:
    levels = np.random.default_rng(1).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(levels).resize((320, 200), Image.Resampling.BICUBIC)


def test_labels_in_many_languages_are_scored_as_by_open_clip(
    url: str, image: Image.Image, checkpoints: dict[str, str]
) -> None:
    """The bias of the sigmoid is the same for every label, so that the softmax lacks it."""
    labels = ["ein Hund", "собака", "犬", "Blumen-Topf!", "a cat"]
    source = load(checkpoints["siglip"], None)
    text = source.model.encode_text(source.tokenizer([f"a photo of a {label}." for label in labels]), normalize=True)
    embedding = source.model.encode_image(source.preprocess(image)[None], normalize=True)
    expected = (source.model.logit_scale.exp() * embedding @ text.T).softmax(dim=-1)[0].numpy()

    answer = requests.post(url, encoded(image, "PNG"), params=[("labels", each) for each in labels], timeout=60)

    assert answer.status_code == 200, answer.text
    scores = {each["label"]: each["score"] for each in answer.json()["predictions"]}
    np.testing.assert_allclose([scores[label] for label in labels], expected, atol=0.02)
    assert 0 <= answer.json()["confidence"] <= 1


def test_its_description_and_its_limits(url: str, image: Image.Image) -> None:
    described = requests.get(url, timeout=60).json()
    assert not described["explains"]
    most = described["limits"]["max_new_labels"]
    assert (most, described["limits"]["max_label_tokens"]) == (256, 64)
    labels = ",".join(f"thing {i}" for i in range(most + 1))

    refused = requests.post(url, encoded(image, "PNG"), params={"labels": labels}, timeout=60)

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "too_many_labels")
    assert f"at most {most} for one request" in refused.json()["error"]["message"]


def test_an_explanation_is_refused_in_words(url: str, image: Image.Image) -> None:
    answer = requests.post(url, encoded(image, "PNG"), params={"explain": "1"}, timeout=60)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_parameter")
    assert "cannot say where in a photo it found a label" in answer.json()["error"]["message"]
