"""What a file orders is never more than the limits imply: memory, and no hang."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from backend.clip.limits import MAX_IMAGE_PIXELS
from tests.hardening.bombs import BOMBS, LARGEST
from tests.hardening.server import MEGABYTE, Census, Watch, verdict
from tests.launch import Running

HANGS = 60
"""Seconds that no answer takes, however busy the machine is."""
BODY = 64 * MEGABYTE
"""The request itself, in its few copies."""
RANKED = {
    "png whose rows are missing",
    "png with two million numbers in its exif",
    "png with exif tags that overlap",
    "jpeg of many exif segments",
    "gif of many frames",
    "webp of many frames",
    "tiff of one huge strip",
    "tiff with two million numbers in its exif",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(name: str, service: Running) -> None:
    data = BOMBS[name]()

    with Watch(service.process.pid) as memory:
        answer = verdict(requests.post(service.url, data=data, timeout=HANGS))

    assert answer == "ranked" if name in RANKED else answer in ("corrupt_image", "too_many_pixels")
    assert memory.growth < 8 * MAX_IMAGE_PIXELS + BODY


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_images_are_ranked(name: str, service: Running) -> None:
    """16 bytes a pixel for WebP and AVIF, 8 for the others: see backend/clip/memory.py."""
    data = LARGEST[name]()
    bytes_per_pixel = 16 if name in ("webp", "avif") else 8

    with Watch(service.process.pid) as memory:
        answer = verdict(requests.post(service.url, data=data, timeout=HANGS))

    assert answer == "ranked"
    assert memory.growth < bytes_per_pixel * MAX_IMAGE_PIXELS + BODY


def test_eight_at_a_time_take_no_more_than_one_and_leave_little(service: Running) -> None:
    images = [LARGEST["png, 16 bits and alpha"](), LARGEST["gif"]()] * 4

    with Watch(service.process.pid) as memory, ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda data: requests.post(service.url, data=data, timeout=HANGS), images))

    assert [verdict(answer) for answer in answers] == ["ranked"] * 8
    assert memory.growth < 8 * MAX_IMAGE_PIXELS + BODY
    assert Census.of(service.process.pid).memory - memory.start < BODY
