"""Folders of examples: a few views of scenes that differ from one thing to the next."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from tests.pictures import encoded

SCENES = ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg", "brick.png", "coins.png")
"""Photographs of scikit-image, each of another thing."""


def view(scene: str, number: int) -> bytes:
    """A JPEG of a part of the scene, another one for each number."""
    random = np.random.default_rng(number)
    with Image.open(Path(str(skimage.data.__file__)).parent / scene) as image:
        width, height = image.size
        left, top = random.uniform(0, 0.15, 2) * (width, height)
        part = image.convert("RGB").crop((int(left), int(top), int(left + 0.85 * width), int(top + 0.85 * height)))
    return encoded(ImageEnhance.Brightness(part).enhance(random.uniform(0.8, 1.2)), "JPEG")


def write_things(folder: Path, things: Mapping[str, str], count: int) -> Path:
    """A subfolder for each thing, by its name, with ``count`` views of its scene."""
    for name, scene in things.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.jpg").write_bytes(view(scene, number))
    return folder


def write_file(path: Path, things: Mapping[str, Sequence[NDArray[np.float32]]], /, **changes: object) -> Path:
    """What a page saves of the bundled model's embeddings; ``changes`` replaces fields."""
    from backend.clip.manifest import Manifest
    from tests.launch import PROJECT

    manifest = Manifest.read(PROJECT / "backend" / "clip" / "model")
    saved = [
        {"name": name, "embeddings": [base64.b64encode(each.astype("<f4").tobytes()).decode() for each in embeddings]}
        for name, embeddings in things.items()
    ]
    said = {"version": 1, "model": manifest.title, "weights_sha256": manifest.weights_sha256, "things": saved}
    path.write_text(json.dumps(said | changes), encoding="utf-8")
    return path
