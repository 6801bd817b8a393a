"""Asks a recognizer about images: an exported model in this process, or a running function."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import requests
from tqdm import tqdm
from werkzeug.datastructures import MultiDict

from backend.clip.api.parameters import parse
from backend.clip.deadline import Deadline
from backend.clip.photos.image import read_pixels
from backend.clip.recognition.recognizer import Recognizer

TOP_K = 5


class Answer(NamedTuple):
    """A recognizer's answer to one image."""

    labels: tuple[str, ...]
    """The best ``TOP_K``, best first."""
    confidence: float
    recognized: bool


class AnswerError(Exception):
    """The function at a URL does not answer as it should."""


Recognize = Callable[[bytes, Mapping[str, str]], Answer]
"""From the bytes of an image file, and ``labels`` or ``vocabulary`` as in the function's query, to the answer."""


def by_model(recognizer: Recognizer) -> Recognize:
    """Answers with the exported model itself."""

    def recognize(body: bytes, query: Mapping[str, str]) -> Answer:
        candidates = recognizer.candidates(parse(MultiDict(query)), Deadline.unlimited())
        pixels = read_pixels(body, recognizer.manifest.image)
        ranking = recognizer.rank(recognizer.embed(pixels), candidates, TOP_K)
        return Answer(tuple(p.label for p in ranking.predictions), ranking.confidence, ranking.recognized)

    return recognize


def by_url(url: str) -> Recognize:
    """Answers with the function at ``url``, to which the bytes are posted."""
    session = requests.Session()

    def recognize(body: bytes, query: Mapping[str, str]) -> Answer:
        try:
            response = session.post(url, params={"top_k": str(TOP_K), **query}, data=body, timeout=60)
            response.raise_for_status()
            answer = response.json()
            labels = tuple(entry["label"] for entry in answer["predictions"])
            return Answer(labels, float(answer["confidence"]), bool(answer["recognized"]))
        except (requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise AnswerError(f"{url} did not answer as the clip function does: {error}") from error

    return recognize


def ask(recognize: Recognize, bodies: Iterable[bytes], query: Mapping[str, str], what: str, count: int) -> list[Answer]:
    """The answers to ``count`` images. On a terminal there is a progress bar."""
    progress = tqdm(bodies, desc=what, total=count, disable=not sys.stderr.isatty())
    return [recognize(body, query) for body in progress]
