"""Asks ``clip`` for embeddings: see docs/api.md."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import requests
from numpy.typing import NDArray

from ..answers import BadAnswer
from ..service import Reply, Service

MOST_IMAGES = 64
"""In one request."""
_LENGTH_TOLERANCE = 0.01


class EmbeddingService(Service):
    """The function at an address, whose ``label`` takes requests for embeddings in the place of photos."""

    def __init__(self, url: str, key: str, timeout: float, connections: int) -> None:
        super().__init__(url, (), key, timeout, connections)
        parts = urlsplit(url)
        path = f"{parts.path.rstrip('/')}/v1/embeddings"
        request = requests.Request("POST", urlunsplit(parts._replace(path=path)))
        self._embed = self._exchange.prepare(request)

    def label(self, photo: bytes) -> Reply:
        """Send a request that ``of_images`` or ``of_text`` has made, once."""
        return self._reply(self._embed, photo, _checked)


def of_images(jpegs: Sequence[bytes]) -> bytes:
    """A request for the embeddings of at most 64 photos."""
    return _request([f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" for jpeg in jpegs])


def of_text(text: str) -> bytes:
    """A request for the embedding of a text."""
    return _request([text])


def embeddings_of(answer: Mapping[str, Any], count: int, dimensions: int | None) -> list[NDArray[np.float32] | None]:
    """The embeddings in an answer, float32 of unit length, one for each of ``count`` inputs; None for what is none.

    Args:
        dimensions: how many numbers each has to have; None for as many as the first has.

    Raises:
        BadAnswer: it has another number of them.
    """
    if len(answer["data"]) != count:
        raise BadAnswer("The answer has other embeddings than were asked for.")
    embeddings = [_embedding(each.get("embedding")) for each in answer["data"]]
    for position, embedding in enumerate(embeddings):
        if embedding is not None:
            dimensions = dimensions or len(embedding)
            if len(embedding) != dimensions:
                embeddings[position] = None
    return embeddings


def _embedding(said: object) -> NDArray[np.float32] | None:
    try:
        embedding = np.frombuffer(base64.b64decode(said, validate=True), "<f4")  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    with np.errstate(all="ignore"):
        length = float(np.linalg.norm(embedding))
    return embedding.astype(np.float32) if abs(length - 1) < _LENGTH_TOLERANCE else None


def _request(inputs: Sequence[str]) -> bytes:
    return json.dumps({"model": "clip", "encoding_format": "base64", "input": inputs}).encode()


def _checked(said: dict[str, Any]) -> dict[str, Any]:
    data = said.get("data")
    if not isinstance(data, list) or not data or "error" in said:
        raise BadAnswer("The answer has no embeddings.")
    for position, each in enumerate(data):
        if not isinstance(each, dict) or each.get("index", position) != position:
            raise BadAnswer("The answer has no embeddings in the order of what was sent.")
    return said
