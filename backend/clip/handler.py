"""The function ``clip``: an HTTP event to the endpoint that answers it."""

# ruff: noqa: E402
from pathlib import Path

from .decoders.lanes import Decoders

# Before the other imports, so that these processes start while OpenVINO is imported.
_DECODERS = Decoders()

from server.interface import Context, Event, Response

from .api import answer, embeddings, metrics, models, ollama, openapi, recognition, responses, vision
from .api.api_key import ApiKey
from .deadline import Deadline
from .errors import MethodNotAllowed, NotFound, RequestError
from .recognition.recognizer import Recognizer
from .service import Service

# Loaded while this module is imported, once for a container; the server lets requests wait until that is done.
_KEY = ApiKey.mounted()
SERVICE = Service(_DECODERS, Recognizer(Path(__file__).parent / "model"))
_ENDPOINTS = {
    endpoint.path: endpoint
    for endpoint in (
        recognition.ENDPOINT,
        embeddings.ENDPOINT,
        models.ENDPOINT,
        vision.ENDPOINT,
        ollama.ENDPOINT,
        responses.ENDPOINT,
        openapi.ENDPOINT,
        metrics.ENDPOINT,
    )
}
metrics.watch(SERVICE, _ENDPOINTS)
_NOTHING_HERE = (
    "There is nothing here. POST an image to /, or GET / for a description. "
    "curl -T adds the name of the file to an address that ends with a slash: leave the slash out."
)


def handle(event: Event, context: Context) -> Response:
    """Answer one request."""
    deadline = Deadline(context.deadline, context.abandoned)
    endpoint = _ENDPOINTS.get(event.path)
    try:
        _KEY.require(event.headers)
        if endpoint is None:
            raise NotFound(_NOTHING_HERE)
        if event.method not in endpoint.routes:
            raise MethodNotAllowed(endpoint.routes)
        return endpoint.routes[event.method](SERVICE, event, deadline)
    except RequestError as problem:
        said = endpoint.error(problem) if endpoint else answer.error(problem)
        return {**said, "code": problem.code}
    finally:
        metrics.observe(deadline)
