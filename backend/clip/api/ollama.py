"""``POST /api/generate``: labels of photos, in the form of Ollama's API, as PhotoPrism asks for them.

https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-completion
"""

import json
from datetime import UTC, datetime

from server.interface import Event, Response

from ..deadline import Deadline
from ..service import Service
from . import answer, photoprism
from .endpoint import Endpoint
from .json_object import read_object

_IMAGES = "images"


def generate(service: Service, event: Event, deadline: Deadline) -> Response:
    """The labels of the images together, as the text in JSON that a model of language would have written.

    The answer is one line and complete, which is also a stream.
    """
    values = read_object(event.body, _IMAGES)
    found = photoprism.labels(service, event, _IMAGES, values.get(_IMAGES), deadline)
    said = {
        "model": service.recognizer.manifest.title,
        "created_at": datetime.now(UTC).isoformat(),
        "response": json.dumps({"labels": found.listed(with_categories=False)}, ensure_ascii=False),
        "done": True,
        "done_reason": "stop",
    }
    return answer.json_response(200, said, found.headers)


ENDPOINT = Endpoint("/api/generate", {"POST": generate}, photoprism.error)
