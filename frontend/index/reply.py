"""What a call to ``clip`` brings: clip's own answer, or that of the platform in its place."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from server.interface import Response

from .errors import Failure
from .shapes import is_error

# The secret that holds clip's API key, where there is one.
API_KEY_SECRET = "clip-api-key"  # noqa: S105 - its name

Expected = Callable[[Any], bool]
"""Whether a JSON document is what was asked for."""

# An answer's objects take many times its bytes: of the large ones, one is read at a time.
_LARGE_BYTES = 1 << 20
_reading_a_large_one = threading.Lock()
_MAX_HEADER_LENGTH = 1000
_PASSED_ON = (
    *("Server-Timing", "Retry-After", "Allow", "Content-Language", "Vary"),
    *("X-Recognized", "X-Confidence", "X-Unknown", "X-Warnings"),
)
# The watchdog refuses requests without a Retry-After. This one is sent in its place.
_TEMPORARY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_BUSY_SECONDS = "2"
# What the statuses of the gateway, an ingress and the watchdog mean; the texts of their answers differ, or are empty.
PLATFORM: dict[int, tuple[str, str]] = {
    HTTPStatus.NOT_FOUND: ("clip_unreachable", "The gateway knows no function clip"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("body_too_large", "The platform takes no body of this size"),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "too_many_requests",
        "The function clip is busy with as many requests as it takes at a time",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("clip_unreachable", "The gateway cannot reach clip"),
    HTTPStatus.BAD_GATEWAY: ("clip_unreachable", "The function clip cannot be reached"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("clip_unavailable", "No instance of clip is there to take requests"),
    HTTPStatus.GATEWAY_TIMEOUT: ("clip_timeout", "The function clip took longer than it may"),
}
# For an empty 500, which the watchdog sends when the connection to its function breaks: the function's process has
# ended.
DIED = ("clip_failed", "The function clip stopped before it had an answer")
NONSENSE = ("clip_bad_answer", "What came back is not an answer of clip's")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """An answer from the network. A call that failed counts as the 502 or 504 with which a gateway would answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    refused: bool = False
    """Whether there was no connection, so that nothing has been sent."""
    unreadable: bool = False
    """Whether an answer came that cannot be clip's."""

    def clips_type(self, expected: Expected) -> str | None:
        """The Content-Type of clip's answer; None if the answer is the platform's.

        Clip's are: the JSON that was asked for, an error in JSON, and text that has clip's own header.
        """
        is_text = self.headers.get("Content-Type", "").startswith("text/plain")
        if is_text and self.status == HTTPStatus.OK and "X-Recognized" in self.headers:
            return "text/plain; charset=utf-8"
        wanted = expected if self.status == HTTPStatus.OK else is_error
        with _reading_a_large_one if len(self.body) > _LARGE_BYTES else nullcontext():
            try:
                return "application/json" if wanted(json.loads(self.body)) else None
            except (ValueError, RecursionError):
                return None

    def not_executed(self) -> bool:
        """Whether clip has certainly not worked on the photo. Only then may it be sent again."""
        turned_away = self.status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in self.headers
        return self.refused or turned_away or self.status == HTTPStatus.TOO_MANY_REQUESTS

    def may_pass(self, expected: Expected) -> bool:
        """Whether the same request may succeed soon."""
        silent = self.status == HTTPStatus.INTERNAL_SERVER_ERROR and self.clips_type(expected) is None
        lost = self.status == HTTPStatus.BAD_GATEWAY and not self.unreadable
        return silent or lost or self.status in _TEMPORARY

    def retry_after(self) -> float:
        """The seconds in ``Retry-After``; 0 for none and for a date, which no part of the platform sends."""
        value = self.headers.get("Retry-After", "")
        return float(value) if value.isdecimal() else 0.0

    def answer(self, expected: Expected) -> Response:
        """Clip's answer, which may be an error.

        Raises:
            Failure: the answer is not clip's, or clip refuses this function's API key.
        """
        passed_on = {name: self.headers[name] for name in _PASSED_ON if _is_sound(self.headers.get(name))}
        if self.status == HTTPStatus.UNAUTHORIZED:  # visitors send no key: this function's key is wrong
            log.error("clip does not take this function's API key: both need the same secret %s", API_KEY_SECRET)
            challenge = {"WWW-Authenticate": "Bearer"}
            raise Failure("unauthorized", "The function clip does not take the API key of this function.", challenge)
        kind = self.clips_type(expected)
        if kind is not None:
            headers = passed_on | {"Content-Type": kind}
            answer: Response = {"statusCode": self.status, "headers": headers, "body": self.body}
            if self.status != HTTPStatus.OK:
                answer["code"] = json.loads(self.body)["error"]["code"]
            return answer
        died = self.status == HTTPStatus.INTERNAL_SERVER_ERROR and not self.body
        code, message = DIED if died else NONSENSE if self.unreadable else PLATFORM.get(self.status, NONSENSE)
        retry_after = {"Retry-After": _BUSY_SECONDS} if self.status in _TEMPORARY else {}
        raise Failure(code, f"{message} (status {self.status}).", retry_after | passed_on)


def _is_sound(header: str | None) -> bool:
    return header is not None and header.isprintable() and len(header) <= _MAX_HEADER_LENGTH
