"""Examples as a page saves them: the embeddings of ``/v1/embeddings`` in a JSON file.

    {"version": 1, "model": TITLE, "weights_sha256": HASH,
     "things": [{"name": "blue mug", "embeddings": [BASE64, …]}, …]}

``model`` and ``weights_sha256`` are those of ``GET /``; an embedding is little-endian float32 in base64, which
``"encoding_format": "base64"`` gives.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..limits import MAX_LABELS
from ..manifest import Manifest
from ..recognition.background import unit
from ..recognition.examples import require_model

MAX_BYTES = 256 << 20
MAX_PHOTOS = 50
"""Of one thing."""
_VERSION = 1
_KEYS = {"version", "model", "weights_sha256", "things"}
_KEYS_OF_A_THING = {"name", "embeddings"}
_LENGTHS = (0.99, 1.01)


class Thing(NamedTuple):
    name: str
    photos: NDArray[np.float64]
    """float64 [photos, dim], the embeddings in unit length."""


def read_file(path: Path, manifest: Manifest) -> list[Thing]:
    """The things of a file, in their order.

    Args:
        manifest: of the model that is to learn them.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not such a file, or is of another model; the message says where.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} is larger than {MAX_BYTES >> 20} MiB.")
    try:
        said = json.loads(path.read_bytes(), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a file of examples: {error}.") from error
    if not isinstance(said, dict) or said.keys() != _KEYS or type(said["version"]) is not int:
        raise ValueError(f"{path} is not a file of examples, which has {', '.join(sorted(_KEYS))} and nothing else.")
    if said["version"] != _VERSION:
        raise ValueError(f"{path} has version {said['version']}; this service reads version {_VERSION}.")
    if not isinstance(said["model"], str) or not isinstance(said["weights_sha256"], str):
        raise ValueError(f"{path}: model and weights_sha256 must be strings.")
    require_model(said["weights_sha256"], said["model"], manifest, str(path))
    things = said["things"]
    if not isinstance(things, list) or not 1 <= len(things) <= MAX_LABELS:
        raise ValueError(f"{path}: things must be an array of 1 to {MAX_LABELS:,}.")
    return [_thing(each, f"{path}: things[{position}]", manifest.embedding_dim) for position, each in enumerate(things)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return values


def _thing(said: Any, where: str, dim: int) -> Thing:
    if not isinstance(said, Mapping) or said.keys() != _KEYS_OF_A_THING or not isinstance(said["name"], str):
        raise ValueError(f"{where} must have a name and embeddings, and nothing else.")
    embeddings = said["embeddings"]
    if not isinstance(embeddings, list) or not 1 <= len(embeddings) <= MAX_PHOTOS:
        raise ValueError(f"{where}: embeddings must be an array of 1 to {MAX_PHOTOS}.")
    rows = [_embedding(each, f"{where}.embeddings[{position}]", dim) for position, each in enumerate(embeddings)]
    return Thing(said["name"], unit(np.array(rows)))


def _embedding(text: Any, where: str, dim: int) -> NDArray[np.float64]:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != 4 * dim:
        raise ValueError(f"{where} must be {dim} numbers in float32 and base64.")
    row = np.frombuffer(data, "<f4").astype(np.float64)
    if not _LENGTHS[0] < np.linalg.norm(row) < _LENGTHS[1]:
        raise ValueError(f"{where} must have unit length.")
    return row
