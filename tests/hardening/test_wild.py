"""Random malformed requests get documented answers, and never a 5xx that blames the server."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.functions import serving
from tests.hardening.wild import Wild, judge, send
from tests.launch import Running

COUNT = 250


@pytest.fixture(scope="module")
def index(application: Running) -> Iterator[Running]:
    with serving("index", gateway_url=application.url) as program:
        yield program


def require_answers(url: str, seed: int) -> Counter[int]:
    wild = Wild(random.Random(seed))
    statuses: Counter[int] = Counter()
    for _ in range(COUNT):
        request = wild.request()
        received = send(url, request)
        try:
            statuses[judge(request, received)] += 1
        except Exception as error:
            error.add_note(f"{request.wire[:2000]!r}\n-> {received[:500]!r}")
            raise
    return statuses


def test_clip(service: Running) -> None:
    assert {200, 400, 404, 405} <= set(require_answers(service.url, 1))
    assert "Traceback" not in service.output()


def test_index(index: Running) -> None:
    assert {200, 400, 404, 405} <= set(require_answers(index.url, 2))
    assert "Traceback" not in index.output()
