"""A client that openapi-python-client generates from the running function's own document, at work on a photo."""

import base64
import importlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import requests

from tests.backend.asking import post
from tests.pictures import encoded, photo

PHOTO = encoded(photo((320, 240)), "JPEG", quality=90)
TEXT = base64.b64encode(PHOTO).decode()


class Generated:
    """The package, and a client of it for one address."""

    def __init__(self, package: str, url: str) -> None:
        self._package = package
        self._client = self.module("client").Client(base_url=url, timeout=60)

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self._package}.{name}")

    def model(self, name: str) -> Any:
        return getattr(self.module("models"), name)

    def file(self, data: bytes) -> Any:
        return self.module("types").File(payload=io.BytesIO(data), file_name="photo.jpg")

    def call(self, operation: str, **arguments: Any) -> Any:
        return self.module(f"api.default.{operation}").sync(client=self._client, **arguments)

    def close(self) -> None:
        self._client.get_httpx_client().close()


@pytest.fixture(scope="module")
def generated(clip_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_bytes(requests.get(f"{clip_url}/openapi.json", timeout=60).content)
    package = folder / "clip_client"
    command = ["openapi_python_client", "generate", "--path", str(document), "--output-path", str(package)]
    done = subprocess.run(
        [sys.executable, "-m", *command, "--meta", "none", "--fail-on-warning", "--config", _without_ruff(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    client = Generated("clip_client", clip_url)
    yield client
    client.close()
    sys.path.remove(str(folder))


def _without_ruff(folder: Path) -> str:
    config = folder / "config.yml"
    config.write_text("post_hooks: []\n")
    return str(config)


@pytest.fixture(scope="module")
def expected(clip_url: str) -> list[tuple[str, float]]:
    return [(one["label"], one["score"]) for one in post(clip_url, PHOTO).json()["predictions"]]


def pairs(predictions: Any) -> list[tuple[str, float]]:
    return [(one.label, one.score) for one in predictions]


@pytest.mark.parametrize("operation", ["recognize", "recognize_put"])
def test_the_bytes_of_a_photo(operation: str, generated: Generated, expected: list[tuple[str, float]]) -> None:
    answer = generated.call(operation, body=generated.file(PHOTO))
    assert isinstance(answer, generated.model("Answer"))
    assert pairs(answer.predictions) == expected
    top = generated.call(operation, body=generated.file(TEXT.encode()), top_k=2, labels=["apple", "pear", "cat"])
    assert len(top.predictions) == 2
    assert {one.label for one in top.predictions} < {"apple", "pear", "cat"}


def test_a_form_with_a_file_and_fields(generated: Generated, expected: list[tuple[str, float]]) -> None:
    form = generated.model("Form")
    answer = generated.call("recognize", body=form(image=[generated.file(PHOTO)]))
    assert pairs(answer.predictions) == expected
    everyday = generated.model("Vocabulary").EVERYDAY
    files = [generated.file(PHOTO), generated.file(b"text"), generated.file(PHOTO)]
    several = generated.call("recognize", body=form(image=files, top_k=3, vocabulary=everyday))
    assert isinstance(several, generated.model("Answers"))
    assert [hasattr(result, "error") for result in several.results] == [False, True, False]
    assert len(several.results[0].predictions) == 3


def test_hugging_faces_json(generated: Generated, expected: list[tuple[str, float]]) -> None:
    answer = generated.call("recognize", body=generated.model("ZeroShotRequest")(inputs=TEXT))
    assert pairs(answer) == expected


def test_embeddings(generated: Generated) -> None:
    request = generated.model("EmbeddingsRequest")(input_=[f"data:image/jpeg;base64,{TEXT}", "apple"])
    answer = generated.call("embed", body=request)
    assert [item.index for item in answer.data] == [0, 1]
    assert np.linalg.norm([item.embedding for item in answer.data], axis=1) == pytest.approx([1, 1], abs=1e-3)


def test_what_takes_no_body(generated: Generated) -> None:
    assert generated.call("ready").ready is True
    assert generated.call("describe").labels[0] == "apple"
    assert "clip_requests_total" in generated.call("metrics")
    assert "paths" in generated.call("openapi").additional_properties


def test_an_error_has_its_code(generated: Generated) -> None:
    answer = generated.call("recognize", body=generated.file(b"text"))
    assert answer.error.code.value == "unsupported_image"
