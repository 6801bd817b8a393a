"""The function ``clip``: an HTTP event to the door that it goes to."""

# ruff: noqa: E402
from pathlib import Path

from .decoding import Decoders

# First of all: these processes start while OpenVINO is imported.
DECODERS = Decoders()

from . import answer
from .access import ApiKey
from .deadline import Deadline
from .doors.recognition import describe, recognize
from .errors import MethodNotAllowed, NotFound, RequestError
from .interface import Context, Event, Response
from .recognizer import Recognizer
from .service import Service

# Read and loaded while the module is imported: the server lets requests wait for that, and a container does it once.
KEY = ApiKey.mounted()
SERVICE = Service(DECODERS, Recognizer(Path(__file__).parent / "model"))
DOORS = {
    "/": {"GET": describe, "POST": recognize, "PUT": recognize},
}
_NOTHING_HERE = (
    "There is nothing here. POST an image to /, or GET / for a description. "
    "curl -T adds the name of the file to an address that ends with a slash: leave the slash out."
)


def handle(event: Event, context: Context) -> Response:
    """Answer one request."""
    deadline = Deadline(context.deadline, context.abandoned)
    try:
        KEY.require(event.headers)
        if event.path not in DOORS:
            raise NotFound(_NOTHING_HERE)
        doors = DOORS[event.path]
        if event.method not in doors:
            raise MethodNotAllowed(doors)
        return doors[event.method](SERVICE, event, deadline)
    except RequestError as problem:
        return answer.error(problem)
