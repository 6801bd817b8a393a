"""``POST /``: photos to ranked labels."""

import json
from collections.abc import Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import BadParameter, RequestError
from ..fetch.download import fetched
from ..recognition.query import Query
from ..service import Service
from . import answer, hugging_face
from .endpoint import Endpoint
from .json_object import is_object, read_object, require_known
from .parameters import parse
from .payload import Payload, image_in
from .wording import Wording, wording

_URL = "url"


def describe(service: Service, event: Event, _deadline: Deadline) -> Response:
    """The model, its labels and the limits."""
    _, words = wording(service.recognizer, Query(), event.query, event.headers)
    return answer.description(service.recognizer, words)


def recognize(service: Service, event: Event, deadline: Deadline) -> Response:
    """The labels of the photo in the body, or of the photos in a form, or of the photo that JSON has or names."""
    deadline.require()
    if is_object(event.body):
        given = read_object(event.body, hugging_face.IMAGE)
        form = _recognize_remote if _URL in given else hugging_face.classify
        return form(service, given, event, deadline)
    sent = Payload.read(event.body, event.headers.get("Content-Type", ""))
    images = sent.files if len(sent.files) > 1 else (image_in(sent.files[0], sent.mimetype),)
    values = MultiDict([*event.query.items(multi=True), *sent.fields])
    query, words = wording(service.recognizer, parse(values), values, event.headers)
    if len(images) > 1:
        return _recognize_each(service, images, query, words, deadline)
    candidates = service.candidates(query, deadline)
    result = service.recognize(images[0], candidates, query, deadline)
    return answer.recognition(result, service.recognizer.manifest, event.headers.get("Accept"), deadline, words)


def _recognize_remote(service: Service, values: dict[str, Any], event: Event, deadline: Deadline) -> Response:
    """The labels of the photo behind a URL. While it is fetched, it holds no place in any line."""
    require_known(values, (_URL,))
    if not isinstance(values[_URL], str):
        raise BadParameter(f"{_URL} must be a string.")
    query, words = wording(service.recognizer, parse(event.query), event.query, event.headers)
    candidates = service.candidates(query, deadline)
    with fetched(values[_URL], deadline) as file:
        result = service.recognize(image_in(file), candidates, query, deadline)
    return answer.recognition(result, service.recognizer.manifest, event.headers.get("Accept"), deadline, words)


def _recognize_each(
    service: Service, files: Sequence[bytes | memoryview], query: Query, words: Wording, deadline: Deadline
) -> Response:
    """An answer or error for each photo. They are handled in turn, so that the request takes no more than its share."""
    candidates = service.candidates(query, deadline)
    manifest = service.recognizer.manifest
    results = []
    for position, file in enumerate(files):
        deadline.images = len(files) - position
        try:
            deadline.require()
            result = service.recognize(image_in(file), candidates, query, deadline)
            said = words.answer(answer.recognition_object(result, manifest))
        except RequestError as problem:
            said = answer.error_object(problem)
        # One by one: one call for all predictions would keep the other threads waiting.
        results.append(json.dumps(said, ensure_ascii=False))
    rest = json.dumps({"model": manifest.title} | answer.unknown_object(candidates.unknown), ensure_ascii=False)[1:]
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"} | words.headers() | answer.server_timing(deadline),
        "body": f'{{"results": [{", ".join(results)}], {rest}\n',
    }


ENDPOINT = Endpoint("/", {"GET": describe, "POST": recognize, "PUT": recognize})
