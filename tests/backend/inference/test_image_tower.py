"""The image tower, for many threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from backend.clip.deadline import Deadline
from backend.clip.inference.image_tower import ImageTower


def test_large_towers_answer_many_threads_as_small_ones_answer_one(
    exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 64, 64, 3), np.uint8)
    small = ImageTower(exported["vit"], "f32")
    expected = np.stack([small.infer(image, Deadline.unlimited())[0] for image in pixels])

    monkeypatch.setattr("backend.clip.inference.image_tower._CACHED_BYTES", 0)
    large = ImageTower(exported["vit"], "f32")
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda image: large.infer(image, Deadline.unlimited()), pixels)
        actual = np.stack([rows[0] for rows in answers])

    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_the_map_comes_with_what_asks_for_it(exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), np.uint8)
    small = ImageTower(exported["vit"], "f32")
    expected = [small.infer(image, Deadline.unlimited(), with_map=True)[1] for image in pixels]
    assert expected[0].shape == (17, 64)

    monkeypatch.setattr("backend.clip.inference.image_tower._CACHED_BYTES", 0)
    large = ImageTower(exported["vit"], "f32")
    with ThreadPoolExecutor(16) as pool:
        rows = list(
            pool.map(lambda i: large.infer(pixels[i], Deadline.unlimited(), with_map=i % 2 == 0), range(len(pixels)))
        )

    assert [len(row) for row in rows] == [2, 1] * 8
    np.testing.assert_allclose([row[1] for row in rows[::2]], expected[::2], atol=1e-4)
