"""``GET /v1/models``: the model that is served, in the form of OpenAI's API, for clients that list models first.

https://platform.openai.com/docs/api-reference/models/list
"""

from server.interface import Event, Response

from ..deadline import Deadline
from ..service import Service
from .answer import json_response, openai_error
from .endpoint import Endpoint

_UNKNOWN_TIME = 0
"""A model folder does not say when its model was made, and the form needs a number."""


def models(service: Service, _event: Event, _deadline: Deadline) -> Response:
    """A list of the one model that there is."""
    manifest = service.recognizer.manifest
    model = {"id": manifest.title, "object": "model", "created": _UNKNOWN_TIME, "owned_by": "clip"}
    return json_response(200, {"object": "list", "data": [model]})


ENDPOINT = Endpoint("/v1/models", {"GET": models}, openai_error)
