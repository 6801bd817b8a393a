"""The answer as a page, for browsers that post the form without JavaScript."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from server.interface import Response

from .document import HEADERS, render
from .errors import words_for
from .languages import PARAMETER, VARY, Chosen
from .texts import Texts
from .upload import Upload
from .verdict import Known, Verdict, own_words, verdict

# The photo is shown again only if it is small, as it is sent back inside the page.
_MAX_SHOWN_BYTES = 1 << 20
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}


class _Result(NamedTuple):
    """What is shown of one photo: clip's answer with a verdict, or ``problem``, the words of an error."""

    name: str
    photo: str | None
    answer: dict[str, Any]
    problem: str | None
    verdict: Verdict | None
    among: Verdict | None = None
    """The same, chosen among the recognizer's own labels."""


def with_preview(upload: Upload) -> Upload:
    """The upload, asking for small pictures of what the page does not show as it is."""
    if _kind(upload.body) or "preview" in dict(upload.parameters):
        return upload
    return replace(upload, parameters=[*upload.parameters, ("preview", "1")])


def as_meant(upload: Upload) -> Upload:
    """Whoever fills in words of their own wants these, whatever else the form has to choose from."""
    if not any(name == "labels" for name, _ in upload.parameters):
        return upload
    return replace(upload, parameters=[one for one in upload.parameters if one[0] != "vocabulary"])


def among_labels(upload: Upload) -> Upload | None:
    """The same photo, asking which of the recognizer's own labels it shows; None where that has been asked."""
    if dict(upload.parameters).get("vocabulary", "labels") == "labels" or own_words(upload.parameters):
        return None
    return replace(upload, parameters=[one for one in upload.parameters if one[0] == PARAMETER])


def result_page(
    answer: Response, upload: Upload | None, path: str, known: Known, seen: Chosen, among: Response | None = None
) -> Response:
    """Clip's answer or a ``Failure``'s, to a request for ``path``, as HTML with the same status and headers.

    ``known`` as for ``verdict``; ``seen`` has the language; ``among`` is the answer to ``among_labels``, where there
    is one.
    """
    document, texts = json.loads(answer["body"]), seen.texts
    parameters = upload.parameters if upload else ()
    if "results" in document:
        results = [
            _result(one, 0, parameters, texts.say("photo-number", number=place), known, texts)
            for place, one in enumerate(document["results"], 1)
        ]
    else:
        result = _result(document, answer["statusCode"], parameters, upload.name if upload else "", known, texts)
        if upload:
            result = result._replace(photo=_photo_url(upload.body) or result.photo)
        if among:
            of_labels = json.loads(among["body"])
            result = result._replace(among=verdict(of_labels, [], known, texts) if "predictions" in of_labels else None)
        results = [result]
    # Relative, as only the gateway knows the prefix, which may end with a slash or not where the path is "/".
    start = "?" if path == "/" else "./" + "../" * (path.count("/") - 1)
    body = render("result.html", texts, results=results, start=start)
    headers = answer["headers"] | HEADERS | {"Content-Language": texts.code, "Vary": f"Accept, {VARY}"}
    return {**answer, "headers": headers, "body": body}


def _result(
    document: dict[str, Any], status: int, parameters: Sequence[tuple[str, str]], name: str, known: Known, texts: Texts
) -> _Result:
    if "error" in document:
        return _Result(name, None, document, words_for(texts, document["error"].get("code", ""), status), None)
    return _Result(name, document.get("preview"), document, None, verdict(document, parameters, known, texts))


def _photo_url(image: bytes | memoryview) -> str | None:
    kind = _kind(image)
    return f"data:{kind};base64,{base64.b64encode(image).decode()}" if kind else None


def _kind(image: bytes | memoryview) -> str | None:
    """The media type of a photo, if it is small and its first bytes are those of a format that every browser shows."""
    if len(image) > _MAX_SHOWN_BYTES:
        return None
    return next((kind for signature, kind in _SIGNATURES.items() if image[: len(signature)] == signature), None)
