"""The call to `clip` over the gateway: one session, a few retries, one budget of time for all of it."""

import json
import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import requests
import urllib3

from .errors import Failure
from .interface import Answer

DEFAULT_GATEWAY_URL = "http://gateway.openfaas:8080"
# For a photo's whole stay at clip, retries included. Longer than clip's own exec_timeout and shorter than this
# function's, so that whoever is slow is named by the one who waits for it.
DEFAULT_TIMEOUT = "23s"

# The secret that clip wants where it is mounted.
API_KEY_SECRET = "clip-api-key"  # noqa: S105 - its name

CONNECT_TIMEOUT = 5.0
RETRIES = 3
FIRST_DELAY = 0.25

REPEATABLE = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}
# What the watchdog turns away comes without a Retry-After; this is when a caller may be lucky.
TEMPORARY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
BUSY_SECONDS = "2"
PASSED_ON = ("Server-Timing", "Retry-After", "Allow")
# What the platform between the functions means when it answers in its own words instead of clip's JSON.
PLATFORM_CODES: dict[int, str] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many_requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "clip_unreachable",  # faas-provider: "Can't reach service for: clip."
    HTTPStatus.BAD_GATEWAY: "clip_unreachable",
    HTTPStatus.SERVICE_UNAVAILABLE: "clip_unavailable",
    HTTPStatus.GATEWAY_TIMEOUT: "clip_timeout",
}

Parameters = list[tuple[str, str]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """What came back over the network; a call that failed is the 502 or 504 that a gateway would have made of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def speaks_for_clip(self, key: str) -> bool:
        """Whether clip itself answered: with a JSON object that has `key`, or with its error form."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return False
        return isinstance(document, dict) and (key if self.status == HTTPStatus.OK else "error") in document

    def retry_after(self) -> float:
        """The seconds that `Retry-After` asks for; a date, which no part of the platform sends, counts as none."""
        value = self.headers.get("Retry-After", "")
        return float(value) if value.isdecimal() else 0.0

    def passed_on(self) -> dict[str, str]:
        """The headers that a caller has a use for."""
        return {name: self.headers[name] for name in PASSED_ON if name in self.headers}


def mounted_api_key() -> str:
    """The API key of clip, or "" where no such secret is mounted."""
    path = Path(os.environ.get("secrets_dir", "/var/openfaas/secrets"), API_KEY_SECRET)
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return ""


class Clip:
    """The function `clip` behind the gateway at `gateway_url`, waited for at most `timeout` seconds.

    `api_key` is sent along unless it is empty. `session` is the one seam to the network, `clock` and `sleep` are the
    one to time.
    """

    def __init__(
        self,
        gateway_url: str,
        timeout: float,
        session: requests.Session | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        api_key: str = "",
    ) -> None:
        self.url = gateway_url.rstrip("/") + "/function/clip"
        self.timeout = timeout
        self.session = session or requests.Session()
        self.session.trust_env = False  # a proxy named in the environment is not for calls inside the cluster
        self.authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.clock = clock
        self.sleep = sleep

    def describe(self, call_id: str) -> Answer:
        """Clip's own description: model, vocabulary, labels, limits. Raises `Failure` where clip gave none."""
        return self._call("GET", None, [], call_id, "labels")

    def recognize(self, image: bytes, parameters: Parameters, call_id: str) -> Answer:
        """Clip's answer to one picture, be it labels or an error of its own. Raises `Failure` where clip gave none."""
        return self._call("POST", image, parameters, call_id, "predictions")

    def _call(self, method: str, body: bytes | None, parameters: Parameters, call_id: str, key: str) -> Answer:
        deadline = self.clock() + self.timeout
        for delay in _delays():
            reply = self._send(method, body, parameters, call_id, deadline)
            theirs = reply.speaks_for_clip(key)
            silent = reply.status == HTTPStatus.INTERNAL_SERVER_ERROR and not theirs
            wait = max(delay, reply.retry_after())
            if not (silent or reply.status in REPEATABLE) or self.clock() + wait >= deadline:
                break
            log.warning("clip answered %d; trying again in %.1f s", reply.status, wait)
            self.sleep(wait)
        if reply.status == HTTPStatus.UNAUTHORIZED:  # visitors have no key: it is this function's that is wrong
            log.error("clip does not take this function's API key: both need the same secret %s", API_KEY_SECRET)
            challenge = {"WWW-Authenticate": "Bearer"}
            raise Failure("unauthorized", "clip does not take the API key of this function", challenge)
        if theirs:
            headers = reply.passed_on() | {"Content-Type": "application/json"}
            return {"statusCode": reply.status, "headers": headers, "body": reply.body}
        code = PLATFORM_CODES.get(reply.status, "clip_bad_answer")
        headers = {"Retry-After": BUSY_SECONDS} if reply.status in TEMPORARY else {}
        raise Failure(code, f"clip itself gave no answer (status {reply.status})", headers | reply.passed_on())

    def _send(self, method: str, body: bytes | None, parameters: Parameters, call_id: str, deadline: float) -> Reply:
        left = max(deadline - self.clock(), 0.001)
        try:
            with self.session.request(
                method,
                self.url,
                params=parameters,
                data=body,
                headers={
                    "Accept": "application/json",
                    "X-Call-Id": call_id,
                    "Content-Type": "application/octet-stream",
                    **self.authorization,
                },
                timeout=(min(CONNECT_TIMEOUT, left), left),
                allow_redirects=False,
                stream=True,
            ) as response:
                return Reply(response.status_code, response.headers, self._read(response, deadline))
        except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
            return Reply(HTTPStatus.GATEWAY_TIMEOUT, {}, b"")
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            log.warning("clip: %s", error)
            return Reply(HTTPStatus.BAD_GATEWAY, {}, b"")

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        # The timeout of a socket starts anew with every byte: an answer that trickles in must not outlive the budget.
        parts = []
        while part := response.raw.read1(65536, decode_content=True):
            if self.clock() > deadline:
                raise requests.ReadTimeout
            parts.append(part)
        return b"".join(parts)


def _delays() -> Iterator[float]:
    """Seconds to wait before each retry, doubling, with jitter so that callers turned away together do not return so;
    then for ever: the last attempt's answer stands."""
    for retry in range(RETRIES):
        yield FIRST_DELAY * 2**retry * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
    yield math.inf
