"""The function ``clip``: an HTTP event to the recognizer and back."""

# ruff: noqa: E402
from pathlib import Path

from werkzeug.datastructures import MultiDict

from .deadline import Deadline
from .decoding import Decoders

# First of all: these processes start while OpenVINO is imported.
DECODERS = Decoders()

from . import answer
from .access import ApiKey
from .errors import MethodNotAllowed, NotFound, RequestError
from .interface import Context, Event, Response
from .payload import Payload
from .query import Query
from .recognizer import Recognizer

# Read and loaded while the module is imported: the server lets requests wait for that, and a container does it once.
KEY = ApiKey.mounted()
RECOGNIZER = Recognizer(Path(__file__).parent / "model")
_NOTHING_HERE = (
    "There is nothing here. POST an image to /, or GET / for a description. "
    "curl -T adds the name of the file to an address that ends with a slash: leave the slash out."
)


def handle(event: Event, context: Context) -> Response:
    """Answer one request: ``POST /`` recognizes the image in the body, ``GET /`` describes the service."""
    try:
        KEY.require(event.headers)
        if event.path != "/":
            raise NotFound(_NOTHING_HERE)
        if event.method in ("GET", "HEAD"):
            return answer.description(RECOGNIZER)
        if event.method in ("POST", "PUT"):
            return _recognize(event, Deadline(context.deadline, context.abandoned))
        raise MethodNotAllowed("Use POST with an image, or GET for a description.")
    except RequestError as problem:
        return answer.error(problem)


def _recognize(event: Event, deadline: Deadline) -> Response:
    deadline.require()
    sent = Payload.read(event.body, event.headers.get("Content-Type", ""))
    query = Query.parse(MultiDict([*event.query.items(multi=True), *sent.fields]))
    started = deadline.clock()
    candidates = RECOGNIZER.candidates(query, deadline)
    encoded = deadline.clock()
    pixels = DECODERS.read_pixels(sent.image, RECOGNIZER.manifest.image, deadline)
    decoded = deadline.clock()
    deadline.require()
    result = RECOGNIZER.rank(RECOGNIZER.embed(pixels), candidates, query.top_k)
    inferred = deadline.clock()
    spent = {"wait": deadline.waited, "decode": decoded - encoded, "inference": encoded - started + inferred - decoded}
    return answer.ranking(result, RECOGNIZER.manifest, event.headers.get("Accept"), spent)
