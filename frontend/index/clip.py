"""The calls to ``clip`` over the gateway: one session, a few retries, one limit of time for a call with its retries."""

import json
import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import requests
import urllib3

from server.interface import Context, Response

from .places import Places
from .reply import API_KEY_SECRET, Expected, Reply
from .shapes import are_embeddings, is_description, is_recognition
from .upload import Upload

DEFAULT_GATEWAY_URL = "http://gateway.openfaas:8080"
# For a call with its retries. It is longer than clip's own exec_timeout and shorter than this function's, so that the
# answer names the part that was slow.
DEFAULT_TIMEOUT = "23s"

RETRIES = 3
_FIRST_DELAY = 0.25
# The places of clip that the photos of this function take: the others are for those who ask clip themselves.
_SHARE = 0.75
# What clip lets in at a time, until it has said so itself: that of stack.yml.
_MAX_INFLIGHT = 16
# Enough for 64 photos with a preview and a thousand labels each, and for a description of a thousand labels.
_MAX_ANSWER_BYTES = 12 << 20
_MAX_DESCRIPTION_BYTES = 2 << 20

log = logging.getLogger(__name__)


def mounted_api_key() -> str:
    """Read clip's API key, the first of those in the secret; "" where no such secret is mounted."""
    path = Path(os.environ.get("secrets_dir", "/var/openfaas/secrets"), API_KEY_SECRET)
    try:
        return path.read_text("ascii").strip().partition("\n")[0].strip()
    except FileNotFoundError:
        return ""


class _Asked(NamedTuple):
    """What clip is asked."""

    method: str
    parameters: list[tuple[str, str]]
    languages: str
    """The Accept-Language of who asks, or ""."""
    accept: str = "application/json"
    upload: Upload | None = None
    path: str = ""
    """Below clip's own address."""


class Clip:
    """The function ``clip`` behind a gateway."""

    def __init__(
        self,
        gateway_url: str,
        timeout: float,
        session: requests.Session,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        api_key: str = "",
    ) -> None:
        """Nothing is called yet.

        Args:
            gateway_url: the gateway's address, without the function's path.
            timeout: how many seconds a call may take with its retries; it never takes longer than the request has.
            session: makes the calls.
            clock: seconds that only grow, as ``time.monotonic`` gives them.
            sleep: waits for so many seconds.
            api_key: sent with each call unless it is empty.
        """
        self._url = gateway_url.rstrip("/") + "/function/clip"
        self._timeout = timeout
        self._session = session
        self._authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._clock = clock
        self._sleep = sleep
        self._photos = Places(_share(_MAX_INFLIGHT))
        # A page that opens does not wait behind photos.
        self._questions = Places(1)

    def describe(self, context: Context, lang: str = "", languages: str = "") -> Response:
        """Clip's description of itself: model, vocabulary, labels, limits.

        Args:
            context: that of the request.
            lang: the parameter of this name, or "".
            languages: the caller's Accept-Language, or "".

        Raises:
            Failure: clip gave none, or others ask.
        """
        asked = _Asked("GET", [("lang", lang)] if lang else [], languages)
        answer = self._call(asked, context, is_description, lambda reply: reply.may_pass(is_description))
        if answer["statusCode"] == HTTPStatus.OK:
            self._photos.resize(_share(_max_inflight(answer["body"])))
        return answer

    def recognize(self, upload: Upload, accept: str, context: Context) -> Response:
        """Clip's answer to an upload, which may be an error. It is sent again only if clip has not worked on it.

        Args:
            upload: the photo and its parameters.
            accept: the media type that is asked for.
            context: that of the request.

        Raises:
            Failure: clip gave no answer, or has no place for the photo.
        """
        asked = _Asked("POST", upload.parameters, upload.languages, accept, upload)
        return self._call(asked, context, is_recognition, Reply.not_executed)

    def embed(self, upload: Upload, context: Context) -> Response:
        """Clip's embeddings of what is in an upload, a body of ``/v1/embeddings``; the answer may be an error.

        Args:
            upload: the body.
            context: that of the request.

        Raises:
            Failure: see ``recognize``.
        """
        asked = _Asked("POST", [], upload.languages, upload=upload, path="/v1/embeddings")
        return self._call(asked, context, are_embeddings, Reply.not_executed)

    def _call(
        self,
        asked: _Asked,
        context: Context,
        expected: Expected,
        repeatable: Callable[[Reply], bool],
    ) -> Response:
        deadline = min(self._clock() + self._timeout, context.deadline)
        for delay in _delays():
            # Half of the time for the wait, half for the work, as clip has it.
            patience = max(0.0, deadline - self._clock()) / 2
            with (self._photos if asked.upload else self._questions).take(patience, context.abandoned):
                reply = self._send(asked, context, deadline)
            wait = max(delay, reply.retry_after())
            if not repeatable(reply) or self._clock() + wait >= deadline or context.abandoned():
                break
            log.warning("clip answered %d; trying again in %.1f s", reply.status, wait)
            self._sleep(wait)
        return reply.answer(expected)

    def _send(self, asked: _Asked, context: Context, deadline: float) -> Reply:
        upload = asked.upload
        headers = {
            "Accept": asked.accept,
            # A few compressed bytes may be any number of others.
            "Accept-Encoding": "identity",
            "X-Call-Id": context.call_id,
            **self._authorization,
        }
        if context.traceparent:
            headers["traceparent"] = context.traceparent
        if asked.languages:
            headers["Accept-Language"] = asked.languages
        if upload:
            headers["Content-Type"] = upload.content_type
        try:
            with self._session.request(
                asked.method,
                self._url + asked.path,
                params=asked.parameters,
                # Both types are urllib3's, to which requests passes them. There is one timeout for the whole call: one
                # for connecting would also limit the sending, and a gateway may not read a body before it has found a
                # clip.
                data=upload.body if upload else None,  # type: ignore[arg-type]
                timeout=urllib3.Timeout(total=max(deadline - self._clock(), 0.001)),  # type: ignore[arg-type]
                headers=headers,
                allow_redirects=False,
                stream=True,
            ) as response:
                most = _MAX_ANSWER_BYTES if upload else _MAX_DESCRIPTION_BYTES
                return Reply(response.status_code, response.headers, self._read(response, deadline, most))
        except _UnreadableError as error:
            log.warning("clip's answer is not read: %s", error)
            return Reply(HTTPStatus.BAD_GATEWAY, unreadable=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # The error's text has the address in it, so only its type is logged. A body that was not read in time is a
            # connection error for urllib3.
            log.warning("the call to clip failed: %s", type(error).__name__)
            late = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or self._clock() >= deadline
            return Reply(
                HTTPStatus.GATEWAY_TIMEOUT if late else HTTPStatus.BAD_GATEWAY, refused=not late and _refused(error)
            )

    def _read(self, response: requests.Response, deadline: float, most: int) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise _UnreadableError("it is compressed, which was not asked for")
        parts, size = [], 0
        while part := response.raw.read1(65536):
            if self._clock() > deadline:
                raise requests.ReadTimeout
            parts.append(part)
            size += len(part)
            if size > most:
                raise _UnreadableError(f"it has more than {most:,} bytes")
        return b"".join(parts)


class _UnreadableError(Exception):
    """An answer that cannot be clip's. The message says why."""


def _share(max_inflight: int) -> int:
    return max(1, int(_SHARE * max_inflight)) if max_inflight else 0


def _max_inflight(description: str | bytes) -> int:
    """How many requests clip lets in at a time, as it says; 0 for any number."""
    said = json.loads(description).get("limits", {}).get("max_inflight")
    return said if type(said) is int and said >= 0 else _MAX_INFLIGHT


def _refused(error: Exception) -> bool:
    """Whether there was no connection: nothing listens there, or the name has no address."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def _delays() -> Iterator[float]:
    """Seconds to wait before each retry; after the last one infinity, so that its answer is final.

    They double, and vary at random, so that callers who were refused together do not come back together.
    """
    for retry in range(RETRIES):
        yield _FIRST_DELAY * 2**retry * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
    yield math.inf
