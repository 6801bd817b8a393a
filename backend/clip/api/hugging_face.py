"""Hugging Face's zero-shot image classification: the requests and answers of ``huggingface_hub``.

https://huggingface.co/docs/inference-providers/tasks/zero-shot-image-classification
"""

from typing import Any

from werkzeug.datastructures import Headers, MultiDict

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import BadParameter, UnsupportedImage
from ..limits import DEFAULT_TOP_K
from ..recognition.query import Query
from ..service import Service
from . import answer
from .advice import on_no_image
from .json_object import LongString, require_known
from .parameters import distinct_labels, require_template, require_top_k, require_unknown
from .payload import image_in
from .wording import wording

IMAGE = "inputs"
"""The name of the image, which alone may be long."""
# "options" are for Hugging Face's own servers, such as wait_for_model; they have no effect.
_NAMES = (IMAGE, "parameters", "options")
_PARAMETERS = ("candidate_labels", "hypothesis_template", "top_k", "unknown")


def classify(service: Service, values: dict[str, Any], event: Event, deadline: Deadline) -> Response:
    """``[{"label", "score"}, …]``, best first, for the image that is base64 in ``inputs``.

    Args:
        values: the JSON in the event's body.
    """
    if IMAGE not in values:
        raise UnsupportedImage(f"This JSON has no 'inputs'. {on_no_image(event.body, 'application/json')}")
    require_known(values, _NAMES)
    if event.query:
        raise BadParameter("With JSON, parameters go into its 'parameters', not into the query.")
    inputs = values[IMAGE]
    if not isinstance(inputs, str | LongString):
        raise BadParameter("inputs must be the image as a base64 string.")
    query = _query(values.get("parameters"))
    image = image_in(inputs.base64() if isinstance(inputs, LongString) else inputs.encode())
    # The form has no language, so the words are the caller's own, or English.
    query, words = wording(service.recognizer, query, MultiDict(), Headers())
    candidates = service.candidates(query, deadline)
    result = service.recognize(image, candidates, query, deadline)
    headers = answer.result_headers(result) | answer.server_timing(deadline)
    predictions = [each | {"label": words.label(each["label"])} for each in answer.predictions_list(result.ranking)]
    return answer.json_response(200, predictions, headers)


def _query(given: Any) -> Query:
    """Read ``parameters``, in which null counts as absent."""
    if not isinstance(given, dict | None):
        raise BadParameter("parameters must be an object.")
    parameters = {name: value for name, value in (given or {}).items() if value is not None}
    require_known(parameters, _PARAMETERS)
    labels, template = parameters.get("candidate_labels"), parameters.get("hypothesis_template")
    if labels is not None and not (isinstance(labels, list) and all(isinstance(label, str) for label in labels)):
        raise BadParameter("candidate_labels must be an array of strings.")
    if template is not None:
        if not isinstance(template, str):
            raise BadParameter("hypothesis_template must be a string.")
        require_template(template)
    candidates = () if labels is None else distinct_labels(labels)
    top_k = require_top_k(parameters.get("top_k", len(candidates) or DEFAULT_TOP_K))
    skip_unknown = require_unknown(parameters.get("unknown", "error"))
    return Query(top_k, candidates, template=template, skip_unknown=skip_unknown)
