"""The call to `clip` over the gateway: one session, a few retries, one budget of time for all of it."""

import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

import requests
import urllib3

from .interface import Context, Response
from .reply import API_KEY_SECRET, Reply
from .upload import Upload

DEFAULT_GATEWAY_URL = "http://gateway.openfaas:8080"
# For a photo's whole stay at clip, retries included. Longer than clip's own exec_timeout and shorter than this
# function's, so that whoever is slow is named by the one who waits for it.
DEFAULT_TIMEOUT = "23s"

RETRIES = 3
_FIRST_DELAY = 0.25
# What clip's answers have: its description, and one or several photos' labels.
_DESCRIPTION = ("labels",)
_RECOGNITION = ("predictions", "results")

log = logging.getLogger(__name__)


def mounted_api_key() -> str:
    """The API key of clip, or "" where no such secret is mounted."""
    path = Path(os.environ.get("secrets_dir", "/var/openfaas/secrets"), API_KEY_SECRET)
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return ""


class Clip:
    """The function `clip` behind the gateway at `gateway_url`, waited for at most `timeout` seconds, and never for
    longer than the request has.

    `api_key` is sent along unless it is empty. `session` is the one seam to the network, `clock` and `sleep` are the
    one to time.
    """

    def __init__(
        self,
        gateway_url: str,
        timeout: float,
        session: requests.Session,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        api_key: str = "",
    ) -> None:
        self._url = gateway_url.rstrip("/") + "/function/clip"
        self._timeout = timeout
        self._session = session
        self._authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._clock = clock
        self._sleep = sleep

    def describe(self, context: Context) -> Response:
        """Clip's own description: model, vocabulary, labels, limits. Raises `Failure` where clip gave none."""
        return self._call(None, "application/json", context, _DESCRIPTION, lambda reply: reply.may_pass(_DESCRIPTION))

    def recognize(self, upload: Upload, accept: str, context: Context) -> Response:
        """Clip's answer to one picture, be it labels or an error of its own. Raises `Failure` where clip gave none.

        `accept` is the media type that is asked for. A picture is sent again only where clip has not worked on it.
        """
        return self._call(upload, accept, context, _RECOGNITION, Reply.not_executed)

    def _call(
        self,
        upload: Upload | None,
        accept: str,
        context: Context,
        keys: Sequence[str],
        repeatable: Callable[[Reply], bool],
    ) -> Response:
        deadline = min(self._clock() + self._timeout, context.deadline)
        for delay in _delays():
            reply = self._send(upload, accept, context, deadline)
            wait = max(delay, reply.retry_after())
            if not repeatable(reply) or self._clock() + wait >= deadline or context.abandoned():
                break
            log.warning("clip answered %d; trying again in %.1f s", reply.status, wait)
            self._sleep(wait)
        return reply.answer(keys)

    def _send(self, upload: Upload | None, accept: str, context: Context, deadline: float) -> Reply:
        headers = {"Accept": accept, "X-Call-Id": context.call_id, **self._authorization}
        if context.traceparent:
            headers["traceparent"] = context.traceparent
        if upload:
            headers["Content-Type"] = upload.content_type
        try:
            with self._session.request(
                "POST" if upload else "GET",
                self._url,
                params=upload.parameters if upload else None,
                # requests hands both on to urllib3, whose types these are. There is one time for all of it: one for
                # connecting would bound the sending as well, and the gateway may take a body only once a clip is there.
                data=upload.body if upload else None,  # type: ignore[arg-type]
                timeout=urllib3.Timeout(total=max(deadline - self._clock(), 0.001)),  # type: ignore[arg-type]
                headers=headers,
                allow_redirects=False,
                stream=True,
            ) as response:
                return Reply(response.status_code, response.headers, self._read(response, deadline))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Its text holds the address. A body that was not taken in time is an error of the connection for urllib3.
            log.warning("the call to clip failed: %s", type(error).__name__)
            late = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or self._clock() >= deadline
            return Reply(
                HTTPStatus.GATEWAY_TIMEOUT if late else HTTPStatus.BAD_GATEWAY, refused=not late and _refused(error)
            )

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        # The timeout of a socket starts anew with every byte: an answer that trickles in must not outlive the budget.
        parts = []
        while part := response.raw.read1(65536, decode_content=True):
            if self._clock() > deadline:
                raise requests.ReadTimeout
            parts.append(part)
        return b"".join(parts)


def _refused(error: Exception) -> bool:
    """Whether no connection came about, be it for want of a listener or of an address."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def _delays() -> Iterator[float]:
    """Seconds to wait before each retry, doubling, with jitter so that callers turned away together do not return so;
    then for ever: the last attempt's answer stands."""
    for retry in range(RETRIES):
        yield _FIRST_DELAY * 2**retry * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
    yield math.inf
