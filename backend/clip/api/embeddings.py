"""``POST /v1/embeddings``: texts and images to embeddings, in the form of OpenAI's API.

https://platform.openai.com/docs/api-reference/embeddings
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import BadParameter, RequestError
from ..limits import MAX_IMAGES, MAX_LABEL_CHARACTERS, MAX_LABELS, MAX_TEXT_CHARACTERS
from ..service import Service
from . import answer
from .advice import is_url
from .endpoint import Endpoint
from .json_object import LongString, read_object, require_known
from .payload import image_in

# "user" is for OpenAI's statistics. Clients must send "model"; there is only one here, which the answer names.
_NAMES = ("input", "model", "encoding_format", "dimensions", "user")
# Bounded: what follows may have megabytes, and no comma.
Image = bytes | LongString
"""A data URI."""
_DATA_URI = re.compile(r"\s{0,9}data:[^\s,]{0,200},", re.IGNORECASE)


def embed(service: Service, event: Event, deadline: Deadline) -> Response:
    """An embedding of unit length for each input, in their order."""
    deadline.require()
    values = read_object(event.body, "input")
    require_known(values, _NAMES)
    manifest = service.recognizer.manifest
    encoding = _encoding(values, manifest.embedding_dim)
    inputs = _inputs(values.pop("input", None))
    texts = [given for given in inputs if isinstance(given, str)]
    _require_short(texts)
    embeddings, tokens = service.encode(texts, deadline) if texts else ((), 0)
    of_texts = iter(embeddings)
    rows = []
    warnings: list[str] = []
    deadline.images = len(inputs) - len(texts)
    for position, given in enumerate(inputs):
        deadline.require()
        row: NDArray[np.float32]
        if isinstance(given, str):
            row = next(of_texts)
        else:
            row, said = _of_image(service, given, position, deadline)
            warnings += said
            deadline.images -= 1
        rows.append(_item(position, row, encoding))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    rest = json.dumps({"model": manifest.title, "usage": usage})
    # Row by row: one call for all numbers would keep the other threads waiting.
    body = f'{{"object": "list", "data": [{", ".join(rows)}], {rest[1:]}\n'
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"}
        | answer.server_timing(deadline)
        | answer.warnings_header(warnings),
        "body": body,
    }


def _encoding(values: dict[str, Any], dim: int) -> str:
    encoding = values.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise BadParameter("encoding_format must be 'float' or 'base64'.")
    dimensions = values.get("dimensions")
    if dimensions is not None and (type(dimensions) is not int or dimensions != dim):
        raise BadParameter(f"dimensions can only be {dim}, the length of this model's embeddings.")
    if not isinstance(values.get("model", ""), str):
        raise BadParameter("model must be a string.")
    return str(encoding)


def _inputs(given: Any) -> list[str | Image]:
    values = given if isinstance(given, list) else [given]
    if not values or not isinstance(given, str | list | LongString):
        raise BadParameter("input must be a string, or an array of at least one.")
    if len(values) > MAX_LABELS:
        raise BadParameter(f"There are {len(values):,} inputs; at most {MAX_LABELS:,} are accepted.")
    inputs = [_input(value, position) for position, value in enumerate(values)]
    images = sum(not isinstance(each, str) for each in inputs)
    if images > MAX_IMAGES:
        raise BadParameter(f"There are {images} images; at most {MAX_IMAGES} are accepted.")
    return inputs


def _input(value: Any, position: int) -> str | Image:
    if isinstance(value, LongString):
        if not value.is_data_uri():
            raise BadParameter(
                f"input[{position}] has over {MAX_TEXT_CHARACTERS:,} characters. "
                "An image is sent as a data URI (data:image/jpeg;base64,…)."
            )
        return value
    if not isinstance(value, str):
        raise BadParameter(
            f"input[{position}] must be a text, or an image as a data URI: token arrays are not supported."
        )
    if not value or value.isspace():
        raise BadParameter(f"input[{position}] is empty.")
    if is_url(value):
        raise BadParameter(f"input[{position}] is a URL, and URLs are not fetched here: send an image as a data URI.")
    return value.encode() if _DATA_URI.match(value) else value


def _require_short(texts: Sequence[str]) -> None:
    """Limit the characters of all texts together, as for labels, and of each to what the text tower can take."""
    longest, total = max(map(len, texts), default=0), sum(map(len, texts))
    if longest > MAX_TEXT_CHARACTERS:
        raise BadParameter(
            f"A text has {longest:,} characters; at most {MAX_TEXT_CHARACTERS:,} are accepted. "
            "An image is sent as a data URI (data:image/jpeg;base64,…)."
        )
    if total > MAX_LABELS * MAX_LABEL_CHARACTERS:
        raise BadParameter(
            f"The texts have {total:,} characters; at most {MAX_LABELS * MAX_LABEL_CHARACTERS:,} are accepted."
        )


def _of_image(
    service: Service, uri: Image, position: int, deadline: Deadline
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    try:
        view, warnings = service.view(image_in(uri.base64() if isinstance(uri, LongString) else uri), deadline)
        return view.embedding, warnings
    except RequestError as problem:
        raise type(problem)(f"input[{position}]: {problem}") from problem


def _item(position: int, row: NDArray[np.float32], encoding: str) -> str:
    shown = base64.b64encode(row.astype("<f4").tobytes()).decode() if encoding == "base64" else row.tolist()
    return json.dumps({"object": "embedding", "index": position, "embedding": shown})


ENDPOINT = Endpoint("/v1/embeddings", {"POST": embed}, answer.openai_error)
