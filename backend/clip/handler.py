"""The function ``clip``: an HTTP event to the route that answers it."""

# ruff: noqa: E402
from pathlib import Path

from .decoding import Decoders

# Before the other imports, so that these processes start while OpenVINO is imported.
_DECODERS = Decoders()

from . import answer, metrics
from .api_key import ApiKey
from .deadline import Deadline
from .errors import MethodNotAllowed, NotFound, RequestError
from .interface import Context, Event, Response
from .recognizer import Recognizer
from .routes import Route, embeddings, openapi
from .routes.recognition import describe, recognize
from .service import Service

# Loaded while this module is imported, once for a container; the server lets requests wait until that is done.
_KEY = ApiKey.mounted()
SERVICE = Service(_DECODERS, Recognizer(Path(__file__).parent / "model"))
_ROUTES: dict[str, dict[str, Route]] = {
    "/": {"GET": describe, "POST": recognize, "PUT": recognize},
    embeddings.PATH: {"POST": embeddings.embed},
    "/openapi.json": {"GET": openapi.document},
    "/metrics": {"GET": metrics.expose},
}
metrics.watch(SERVICE, _ROUTES)
_NOTHING_HERE = (
    "There is nothing here. POST an image to /, or GET / for a description. "
    "curl -T adds the name of the file to an address that ends with a slash: leave the slash out."
)


def handle(event: Event, context: Context) -> Response:
    """Answer one request."""
    deadline = Deadline(context.deadline, context.abandoned)
    try:
        _KEY.require(event.headers)
        if event.path not in _ROUTES:
            raise NotFound(_NOTHING_HERE)
        methods = _ROUTES[event.path]
        if event.method not in methods:
            raise MethodNotAllowed(methods)
        return methods[event.method](SERVICE, event, deadline)
    except RequestError as problem:
        say = embeddings.error if event.path == embeddings.PATH else answer.error
        return say(problem)
    finally:
        metrics.observe(deadline)
