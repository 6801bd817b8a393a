"""``POST /``: photos to ranked labels."""

import json
from collections.abc import Sequence

from werkzeug.datastructures import MultiDict

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import RequestError
from ..recognition.query import Query
from ..service import Service
from . import answer
from .endpoint import Endpoint
from .hugging_face import classify
from .json_object import is_object
from .parameters import parse
from .payload import Payload, image_in
from .wording import Wording, wording


def describe(service: Service, event: Event, _deadline: Deadline) -> Response:
    """The model, its labels and the limits."""
    _, words = wording(service.recognizer, Query(), event.query, event.headers)
    return answer.description(service.recognizer, words)


def recognize(service: Service, event: Event, deadline: Deadline) -> Response:
    """The labels of the photo in the body, or of the photos in a form. A JSON body is taken as Hugging Face's."""
    deadline.require()
    if is_object(event.body):
        return classify(service, event, deadline)
    sent = Payload.read(event.body, event.headers.get("Content-Type", ""))
    images = sent.files if len(sent.files) > 1 else (image_in(sent.files[0], sent.mimetype),)
    values = MultiDict([*event.query.items(multi=True), *sent.fields])
    query, words = wording(service.recognizer, parse(values), values, event.headers)
    if len(images) > 1:
        return _recognize_each(service, images, query, words, deadline)
    candidates = service.candidates(query, deadline)
    result = service.recognize(images[0], candidates, query, deadline)
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
