"""What the forms that PhotoPrism asks for labels in have in common: images to the words that they show.

Only words that an image is recognized by are labels. A model of language would be told by a prompt which labels are
wanted, and how they are to be written; nothing here reads a prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import BadParameter, RequestError
from ..limits import MAX_IMAGES
from ..recognition.query import Query
from ..recognition.tags import Tag
from ..service import Service
from . import answer
from .advice import is_url
from .json_object import LongString
from .payload import image_in
from .wording import PARAMETER, Wording, wording

# One candidate is ranked, since a ranking is part of every recognition; what is asked for are the tags.
_QUERY = Query(top_k=1, vocabulary="everyday", tags=True)


@dataclass(frozen=True)
class Labels:
    """What the images of a request show together."""

    tags: Sequence[Tag]
    """Surest first; a word that several images show stands once, as sure as in the best of them."""
    words: Wording
    headers: dict[str, str]
    """For the answer."""

    def listed(self, *, with_categories: bool) -> list[dict[str, Any]]:
        """The labels as PhotoPrism reads them, best first.

        How central a label is to a photo is not measured. Its confidence stands for that, as it does in PhotoPrism
        where a service is silent about it.

        Args:
            with_categories: the more general words of each, most general first.
        """
        said = []
        for tag in answer.tags_list(self.tags):
            sure = tag["confidence"]
            label = {"name": self.words.label(tag["label"]), "confidence": sure, "topicality": sure}
            said.append(label | ({"categories": list(map(self.words.label, tag["path"]))} if with_categories else {}))
        return said


def labels(service: Service, event: Event, name: str, images: Any, deadline: Deadline) -> Labels:
    """Recognize the images of a request, in turn.

    Args:
        name: of the images in the request, for messages.
        images: what the request has there.

    Raises:
        BadParameter: that is not an array of one to ``MAX_IMAGES`` images in base64, or a parameter is in the query
            that is not the language.
        RequestError: an image cannot be read.
    """
    deadline.require()
    if unknown := set(event.query) - {PARAMETER}:
        raise BadParameter(f"The query may have {PARAMETER} only, not '{min(unknown)[:40]}'.")
    _, words = wording(service.recognizer, _QUERY, event.query, event.headers)
    if not isinstance(images, list) or not images:
        raise BadParameter(f"'{name}' must have at least one image, as a data URI or in base64.")
    if len(images) > MAX_IMAGES:
        raise BadParameter(f"There are {len(images):,} images; at most {MAX_IMAGES} are accepted.")
    given = [_encoded(image, f"{name}[{position}]") for position, image in enumerate(images)]
    candidates = service.candidates(_QUERY, deadline)
    best: dict[str, Tag] = {}
    warnings: list[str] = []
    for position, image in enumerate(given):
        deadline.images = len(given) - position
        deadline.require()
        try:
            result = service.recognize(image_in(_base64(image)), candidates, _QUERY, deadline)
        except RequestError as problem:
            raise type(problem)(f"{name}[{position}]: {problem}") from problem
        warnings += result.warnings
        for tag in result.tags or ():
            best[tag.label] = max(tag, best.get(tag.label, tag), key=lambda each: each.confidence)
    headers = words.headers() | answer.server_timing(deadline) | answer.warnings_header(warnings)
    return Labels(sorted(best.values(), key=lambda tag: -tag.confidence), words, headers)


def error(problem: RequestError) -> Response:
    """An error whose ``error`` is a sentence, as PhotoPrism and Ollama have it."""
    return answer.json_response(problem.status, {"code": problem.status, "error": str(problem)}, problem.headers)


def _encoded(image: Any, place: str) -> str | LongString:
    if isinstance(image, LongString):
        return image
    if not isinstance(image, str):
        raise BadParameter(f"{place} must be a string, the image as a data URI or in base64.")
    if is_url(image):
        raise BadParameter(
            f"{place} is a URL, and URLs are not fetched here: in PhotoPrism's vision.yml, set FileScheme: data."
        )
    return image


def _base64(image: str | LongString) -> bytes | memoryview:
    return image.base64() if isinstance(image, LongString) else image.encode()
