"""``POST /v1/responses``: labels of photos, in the form of OpenAI's API, as PhotoPrism asks for them.

https://platform.openai.com/docs/api-reference/responses/create
"""

import json
import time
import uuid
from typing import Any

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import BadParameter
from ..service import Service
from . import answer, photoprism
from .endpoint import Endpoint
from .json_object import read_object

_INPUT = "input"
_IMAGE = "input_image"


def respond(service: Service, event: Event, deadline: Deadline) -> Response:
    """The labels of the images together, as the text in JSON that a model of language would have written."""
    values = read_object(event.body, "image_url", _images)
    if values.get("stream"):
        raise BadParameter("This service does not stream: leave stream out.")
    if not isinstance(values.get(_INPUT), list):
        raise BadParameter(f"{_INPUT} must be an array of messages, with an image in one of them.")
    found = photoprism.labels(service, event, _IMAGE, _images(values), deadline)
    text = json.dumps({"labels": found.listed(with_categories=False)}, ensure_ascii=False)
    content = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "type": "message",
        "id": f"msg_{uuid.uuid4().hex}",
        "status": "completed",
        "role": "assistant",
        "content": [content],
    }
    said = {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "model": service.recognizer.manifest.title,
        "output": [message],
        "parallel_tool_calls": False,
        "tool_choice": "none",
        "tools": [],
    }
    return answer.json_response(200, said, found.headers)


def _images(values: dict[str, Any]) -> list[Any]:
    """What the messages have where an image is to be, whatever it is."""
    messages = values.get(_INPUT)
    contents = [each.get("content") for each in _objects(messages)]
    return [item.get("image_url") for content in contents for item in _objects(content) if item.get("type") == _IMAGE]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


ENDPOINT = Endpoint("/v1/responses", {"POST": respond}, answer.openai_error)
