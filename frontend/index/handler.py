"""The function ``index``: serves the page and passes photos on to ``clip``."""

import json
import os
import time
from dataclasses import replace
from http import HTTPStatus

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from server.environment import count, seconds
from server.interface import Context, Event, Response

from .clip import DEFAULT_GATEWAY_URL, DEFAULT_TIMEOUT, Clip, mounted_api_key
from .errors import Failure
from .installed import icon, manifest
from .languages import PARAMETER, chosen, in_language
from .result_page import among_labels, as_meant, result_page, with_preview
from .session import DEFAULT_CONNECTIONS, session
from .start_page import Description, start_page
from .texts import texts_for
from .upload import Upload, is_json, read_upload
from .verdict import verdict

CLIP = Clip(
    os.environ.get("gateway_url", DEFAULT_GATEWAY_URL),
    seconds("clip_timeout", DEFAULT_TIMEOUT),
    session(count("max_inflight", DEFAULT_CONNECTIONS, least=0)),
    api_key=mounted_api_key(),
)
DESCRIPTION = Description(CLIP.describe)
# In seconds: how long a page that has its answer waits for what clip says of its own labels.
_FOOTNOTE_TIMEOUT = 2.0


def handle(event: Event, context: Context) -> Response:
    """Answer a request: ``GET /`` the page, ``GET /?describe`` clip's description, ``POST /`` a photo's labels.

    ``POST /?embeddings`` passes its body on to clip's ``/v1/embeddings``.
    """
    kind = _wanted(event)
    upload = among = None
    seen = chosen(event, DESCRIPTION.known.languages)
    try:
        if event.path != "/":
            raise Failure("not_found", "There is nothing here. GET / is the page; POST a photo to /.")
        if event.method == "GET":
            if "describe" in event.query:
                lang = event.query.get("lang", "")
                return DESCRIPTION.fetch(context, lang, event.headers.get("Accept-Language", ""))
            if "manifest" in event.query:
                return manifest(seen.texts)
            if "icon" in event.query:
                return icon()
            about = DESCRIPTION.latest(context)
            seen = chosen(event, DESCRIPTION.known.languages)
            if "words" in event.query:
                about = DESCRIPTION.latest(context, seen.labels)
            return start_page(event, about, seen)
        if event.method not in ("POST", "PUT"):
            allow = {"Allow": "GET, HEAD, POST, PUT"}
            raise Failure("method_not_allowed", "Use POST with a photo, or GET for the page.", allow)
        upload = read_upload(event)
        if kind == "text/html":
            upload = as_meant(with_preview(upload))
        DESCRIPTION.latest(context)  # so that it is known how many photos clip takes at a time, and its languages
        if "embeddings" in event.query:
            answer = CLIP.embed(upload, context)
            return {**answer, "headers": answer["headers"] | {"X-Content-Type-Options": "nosniff"}}
        if kind == "text/html":
            known = DESCRIPTION.known.languages
            seen = chosen(event, known, dict(upload.parameters).get(PARAMETER, ""))
            upload = in_language(upload, seen, known)
        accept = "text/plain" if kind == "text/plain" else "application/json"
        answer = CLIP.recognize(upload, accept, context)
        if upload.verdict and kind == "application/json":
            answer = _with_verdict(answer, upload)
        if kind == "text/html":
            among = _among_labels(upload, answer, context)
    except Failure as failure:
        headers = failure.headers | {"Content-Type": "application/json"}
        answer = {"statusCode": failure.status, "headers": headers, "body": failure.body(), "code": failure.code}
    if kind == "text/html":
        return result_page(answer, upload, event.path, DESCRIPTION.known, seen, among)
    return {**answer, "headers": answer["headers"] | {"X-Content-Type-Options": "nosniff"}}


def _with_verdict(answer: Response, upload: Upload) -> Response:
    """Clip's answer to one photo with what it means in words; an error or another form of answer as it is."""
    document = json.loads(answer["body"])
    if not isinstance(document, dict) or "predictions" not in document:
        return answer
    texts = texts_for(dict(upload.parameters).get(PARAMETER, ""), accepted=upload.languages)
    words = verdict(document, upload.parameters, DESCRIPTION.known, texts)
    return {**answer, "body": json.dumps(document | {"verdict": words.to_json()}, ensure_ascii=False) + "\n"}


def _among_labels(upload: Upload, answer: Response, context: Context) -> Response | None:
    """What clip says of the photo when it chooses among its own labels, where something else was asked of one photo."""
    asked = among_labels(upload)
    if asked is None or answer["statusCode"] != HTTPStatus.OK or "predictions" not in json.loads(answer["body"]):
        return None
    soon = replace(context, deadline=min(context.deadline, time.monotonic() + _FOOTNOTE_TIMEOUT))
    try:
        return CLIP.recognize(asked, "application/json", soon)
    except Failure:  # the answer itself is there
        return None


def _wanted(event: Event) -> str | None:
    """The media type that is preferred: HTML by a browser that posts the form, JSON by the page's script.

    The answer to JSON is JSON: only programs send it, whatever they accept.
    """
    if is_json(event.body):
        return "application/json"
    accept = parse_accept_header(event.headers.get("Accept"), MIMEAccept)
    return accept.best_match(["application/json", "text/plain", "text/html"])
