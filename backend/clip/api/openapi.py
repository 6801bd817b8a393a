"""``GET /openapi.json``: the description of all routes, for programs. ``openapi.json`` has all but the version."""

import json
from pathlib import Path

from server.interface import Event, Response

from ..deadline import Deadline
from ..service import Service
from ..version import VERSION
from .answer import json_response
from .endpoint import Endpoint

_DOCUMENT = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_DOCUMENT["info"]["version"] = VERSION


def document(_service: Service, _event: Event, _deadline: Deadline) -> Response:
    """The document, in OpenAPI 3.1."""
    return json_response(200, _DOCUMENT)


ENDPOINT = Endpoint("/openapi.json", {"GET": document})
