"""Copies of drawn pictures, found by the command and compared."""

import itertools
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from photo_labels.finding.duplicates import SAME
from tests.client.photos import picture
from tests.launch import Running
from training.duplicates import KINDS, Pairs, indexed, write_copies
from training.photos import Photo


def drawn(folder: Path, count: int) -> list[Photo]:
    photos = []
    for seed in range(count):
        picture(seed).save(folder / f"{seed}.png")
        photos.append(Photo(folder / f"{seed}.png", "", "", ""))
    return photos


def test_copies_are_what_their_kind_says(tmp_path: Path) -> None:
    write_copies(drawn(tmp_path, 2), tmp_path / "album", every=1)
    sizes, pixels = {}, {}
    for kind in KINDS:
        with Image.open(tmp_path / "album" / kind / "00001.png") as copy:
            sizes[kind], pixels[kind] = copy.size, np.asarray(copy.convert("RGB"))
    assert sizes["recompressed"] == (320, 240)
    assert 64 <= sizes["resized"][0] <= 256
    assert sizes["resized"][0] / sizes["resized"][1] == pytest.approx(4 / 3, rel=0.02)
    assert 0.9 * 320 <= sizes["cropped"][0] < 320
    original = np.asarray(picture(1))
    assert not np.array_equal(pixels["recompressed"], original)
    height, width, _ = pixels["cropped"].shape
    places = itertools.product(range(241 - height), range(321 - width))
    assert any(np.array_equal(original[y : y + height, x : x + width], pixels["cropped"]) for y, x in places)


def test_the_command_finds_them(application: Running, tmp_path: Path) -> None:
    found = indexed(drawn(tmp_path, 6), urlsplit(application.url).port or 0, every=2)
    assert found.keys() == KINDS.keys()
    for kind in ("recompressed", "cropped"):
        assert found[kind].copies == 3
        assert found[kind].figures(SAME) == (1, 1)


def test_figures() -> None:
    pairs = Pairs(4, np.array([0.99, 0.95, 0.9, 0.8]), np.array([True, True, False, True]), [("a", "b")] * 4)
    assert pairs.figures(0.85) == (2 / 3, 2 / 4)
    assert pairs.figures(0.5) == (3 / 4, 3 / 4)
    assert pairs.figures(0.995) == (1, 0)
