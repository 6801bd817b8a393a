"""The function ``clip``: an HTTP event to the recognizer and back."""

import time
from pathlib import Path
from typing import Any

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from . import answer
from .access import ApiKey
from .errors import MethodNotAllowed, NotFound, RequestError
from .image import read_pixels
from .payload import image_bytes
from .query import Query
from .recognizer import Recognizer

# Read and loaded while the module is imported: the server lets requests wait for that, and a container does it once.
KEY = ApiKey.mounted()
RECOGNIZER = Recognizer(Path(__file__).parent / "model")


def handle(event: Any, context: Any) -> answer.Response:
    """Answer one request: ``POST /`` recognizes the image in the body, ``GET /`` describes the service."""
    try:
        KEY.require(event.headers)
        if event.path != "/":
            raise NotFound("There is nothing here. POST an image to /, or GET / for a description.")
        if event.method in ("GET", "HEAD"):
            return answer.description(RECOGNIZER.manifest)
        if event.method == "POST":
            return _recognize(event)
        raise MethodNotAllowed("Use POST with an image, or GET for a description.")
    except RequestError as problem:
        return answer.error(problem)


def _recognize(event: Any) -> answer.Response:
    query = Query.parse(event.query)
    started = time.perf_counter()
    pixels = read_pixels(image_bytes(event.body, event.headers.get("Content-Type", "")), RECOGNIZER.manifest.image)
    decoded = time.perf_counter()
    candidates = RECOGNIZER.candidates(query.labels, query.template)
    result = RECOGNIZER.rank(RECOGNIZER.embed(pixels), candidates, query.top_k)
    inferred = time.perf_counter()
    accept = parse_accept_header(event.headers.get("Accept"), MIMEAccept)
    as_text = accept.best_match(["application/json", "text/plain"]) == "text/plain"
    response = answer.ranking(result, RECOGNIZER.manifest, as_text=as_text)
    response["headers"]["Server-Timing"] = (
        f"decode;dur={(decoded - started) * 1000:.1f}, inference;dur={(inferred - decoded) * 1000:.1f}"
    )
    return response
