"""JSON whose text would multiply: a bystander's photos are answered in time. Its memory: ``test_memory.py``."""

from collections.abc import Callable, Mapping

import pytest
import requests

from tests.hardening.attacks import endure
from tests.hardening.bystander import Flood, posting
from tests.hardening.json_bodies import BODIES, EMBEDDINGS, LABELS, RESPONSES
from tests.launch import Running

SECONDS = 1.5
CLIENTS = 3
PATHS: dict[str, Mapping[str, Callable[[], bytes]]] = {
    "": BODIES,
    "/v1/embeddings": EMBEDDINGS,
    "/api/v1/vision/labels": LABELS,
    "/api/generate": LABELS,
    "/v1/responses": RESPONSES,
}

CODED = [path for path in PATHS if not path.startswith("/api")]
"""Those whose errors have codes. One function reads the bodies of them all."""


@pytest.mark.parametrize("path", CODED)
def test_a_bystander_of_json(path: str, service: Running) -> None:
    flood = _flood(service.url, path)
    endure(service.url, flood, SECONDS).require_unharmed()
    assert set(flood.verdicts()) <= {"bad_parameter", "corrupt_image", "unsupported_image", "empty_body", "busy"}


def test_a_bystander_of_json_through_index(application: Running) -> None:
    index = f"{application.url}/function/index"
    flood = _flood(index, "")
    endure(index, flood, SECONDS).require_unharmed()
    assert set(flood.verdicts()) <= {"bad_parameter", "corrupt_image", "unsupported_image", "empty_body", "busy"}


def _flood(url: str, path: str) -> Flood:
    attack = posting(url + path, [make() for make in PATHS[path].values()])
    return Flood(CLIENTS, attack)


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, bodies in PATHS.items() for name in bodies])
def test_the_answer_to_each(path: str, name: str, service: Running) -> None:
    answer = requests.post(service.url + path, data=PATHS[path][name](), timeout=60)

    assert answer.status_code in (400, 415, 422)
    error = answer.json()["error"]
    assert len(error if isinstance(error, str) else error["message"]) < 250
