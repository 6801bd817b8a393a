"""Decompression bombs and the largest images stay within the memory limits and are answered in time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from backend.clip.limits import MAX_IMAGE_PIXELS
from tests.functions import clip, verdict
from tests.hardening.bombs import BOMBS, LARGEST
from tests.hardening.samples import real_files
from tests.launch import Running
from tests.processes import MEGABYTE, Census, Watch

HANGS = 60
"""Seconds after which a request counts as hanging, even on a busy machine."""
PHOTO = real_files()["jpeg"]
DECODER = 960 * MEGABYTE
"""The memory limit of one decoder process (backend/clip/decoders/lanes.py)."""
BODY = 64 * MEGABYTE
"""Room for the few copies of a request body."""


@pytest.fixture(scope="module")
def service(open_model: Path) -> Iterator[Running]:
    """``clip`` with a shorter decode_timeout than in stack.yml."""
    with clip(open_model, decode_timeout="1s") as program:
        yield program


@pytest.fixture(scope="module")
def patient(open_model: Path) -> Iterator[Running]:
    """``clip`` with a decode_timeout that is long enough for a busy machine."""
    with clip(open_model, decode_timeout="15s") as program:
        yield program


@pytest.mark.parametrize("name", BOMBS)
def test_a_decompression_bomb_is_refused_or_ranked_within_the_limits(name: str, service: Running) -> None:
    data = BOMBS[name]()

    with Watch(service.process.pid) as memory:
        answer = verdict(requests.post(service.url, data=data, timeout=HANGS))

    assert answer in ("ranked", "corrupt_image", "too_many_pixels", "too_expensive", "busy")
    assert verdict(requests.post(service.url, data=PHOTO, timeout=2)) == "ranked"
    assert memory.growth < DECODER + BODY


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_images_are_ranked(name: str, patient: Running) -> None:
    """16 bytes a pixel for WebP and AVIF, 8 for the others."""
    data = LARGEST[name]()
    bytes_per_pixel = 16 if name in ("webp", "avif") else 8

    with Watch(patient.process.pid) as memory:
        answer = verdict(requests.post(patient.url, data=data, timeout=HANGS))

    assert answer == "ranked"
    assert memory.growth < bytes_per_pixel * MAX_IMAGE_PIXELS + BODY


def test_four_large_images_at_once_take_no_more_memory_than_one(patient: Running) -> None:
    images = [LARGEST["png, 16 bits and alpha"](), LARGEST["gif"]()] * 2

    with Watch(patient.process.pid) as memory, ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(lambda data: requests.post(patient.url, data=data, timeout=HANGS), images))

    assert {verdict(answer) for answer in answers} <= {"ranked", "busy"}
    assert memory.growth < 8 * MAX_IMAGE_PIXELS + BODY
    assert Census.of(patient.process.pid).memory - memory.start < BODY
