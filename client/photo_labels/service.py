"""Asks the function `clip` for its description, and for its answer to a photo."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from .answers import BadAnswer, Description, description, error_of, read_json, recognition
from .exchange import Answer, Exchange

USUAL_ADDRESS = "http://127.0.0.1:8080/function/clip"
"""Where ``make up`` serves ``clip``."""
HOW_TO_START = (
    f"No service answers at {USUAL_ADDRESS}. In a checkout of the image recognizer, `make up` starts one there; "
    "another one is named with its address."
)
_BAD_ANSWER = "bad_answer"
_MOST_REASON = 200
_ERROR_NUMBER = re.compile(r"^\[\w+ -?\d+\] ")

# Errors in the parameters or the key: every photo would get the same one.
_OF_ALL_PHOTOS = frozenset(("bad_parameter", "unauthorized", "closed_vocabulary", "too_many_labels"))

Parameters = Sequence[tuple[str, str]]


class ServiceRefuses(Exception):
    """The service would refuse every photo. The message says why."""


class ServiceDown(Exception):
    """The service does not answer now. The message says what happened instead.

    Args:
        is_absent: nothing listens at its address.
    """

    def __init__(self, message: str, is_absent: bool = False) -> None:
        super().__init__(message)
        self.is_absent = is_absent


class Kind(Enum):
    """What an answer means for the photo, and for the photos after it."""

    ANSWER = auto()
    """It says what is in the photo, or what is wrong with it."""
    BUSY = auto()
    """The service has done nothing with the photo: it can be sent again later."""
    AWAY = auto()
    """There was no connection: nothing was sent."""
    FAILED = auto()
    """The service or a proxy failed, perhaps because of this photo."""
    REFUSED = auto()
    """Every photo would be refused."""


@dataclass(frozen=True)
class Reply:
    kind: Kind
    answer: dict[str, Any]
    """The service's JSON; what a proxy says is put into the same form."""
    retry_after: float | None = None
    """In seconds."""

    @property
    def code(self) -> str:
        return str(self.answer["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.answer["error"]["message"])


class Service:
    """The function at an address. It may be used by any number of threads.

    Args:
        url: of ``clip``.
        parameters: the query of every request: see docs/api.md.
        key: the API key, or "" for none.
        timeout: how long an answer may take, in seconds.
        connections: how many are kept open.
    """

    def __init__(self, url: str, parameters: Parameters, key: str, timeout: float, connections: int) -> None:
        self.url = url
        self._exchange = Exchange(url, timeout, connections)
        self._exchange.headers["User-Agent"] = "photo-labels"
        # Not in Authorization, which a proxy may need for itself.
        if key:
            self._exchange.headers["X-Api-Key"] = key
        self._post = self._exchange.prepare(requests.Request("POST", url, params=list(parameters)))
        self._get = self._exchange.prepare(requests.Request("GET", url))

    def close(self) -> None:
        """Close the connections. No other method may be called any more."""
        self._exchange.close()

    def describe(self) -> Description:
        """Ask the service for its description.

        Raises:
            ServiceDown: it does not answer, or says that it cannot now.
            ServiceRefuses: it wants a key, is not ``clip``, or has a certificate that cannot be verified.
        """
        try:
            answer = self._exchange.send(self._get)
            if answer.status == 200:
                return description(read_json(answer.body))
        except requests.exceptions.SSLError as error:
            raise ServiceRefuses(f"{self.url} cannot be verified: {_reason(error)}") from error
        except requests.RequestException as error:
            raise ServiceDown(_reason(error), _is_unsent(error)) from error
        except BadAnswer:
            raise ServiceRefuses(f"{self.url} is not the function clip. {_HINT}") from None
        if answer.status in (408, 429) or answer.status >= 500:
            raise ServiceDown(f"status {answer.status}")
        if _is_redirect(answer) and "Location" in answer.headers:
            raise ServiceRefuses(f"{self.url} leads to {answer.headers['Location']}. {_HINT}")
        raise ServiceRefuses(f"{self.url} answers {answer.status}: {_problem_of(answer)['message']}")

    def label(self, photo: bytes) -> Reply:
        """Send one photo, once."""
        return self._reply(self._post, photo, recognition)

    def _reply(
        self, prepared: requests.PreparedRequest, body: bytes, read: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Reply:
        request = prepared.copy()
        request.prepare_body(body, None)
        try:
            answer = self._exchange.send(request)
            if answer.status == 200:
                return Reply(Kind.ANSWER, read(read_json(answer.body)))
        except requests.RequestException as error:
            return failure(Kind.AWAY if _is_unsent(error) else Kind.FAILED, _reason(error), _reason(error))
        except BadAnswer as error:
            return failure(Kind.FAILED, _BAD_ANSWER, str(error))
        problem = _problem_of(answer)
        return failure(_kind(answer, problem["code"]), **problem, retry_after=_retry_after(answer))


_HINT = f"Programs send photos to an address such as {USUAL_ADDRESS}."


def _is_redirect(answer: Answer) -> bool:
    return 300 <= answer.status < 400


def _kind(answer: Answer, code: str) -> Kind:
    if code in _OF_ALL_PHOTOS or answer.status in (401, 403, 407):
        return Kind.REFUSED
    if answer.status in (429, 503):
        return Kind.BUSY
    return Kind.ANSWER if answer.status in (400, 413, 415, 422) else Kind.FAILED


def failure(kind: Kind, code: str, message: str, retry_after: float | None = None) -> Reply:
    """A reply that says what is wrong, in the form of ``clip``'s errors."""
    return Reply(kind, {"error": {"code": code, "message": message}}, retry_after)


def _problem_of(answer: Answer) -> dict[str, str]:
    """Code and message of an error; for one that is not the service's, its status."""
    by_status = {"code": f"status_{answer.status}", "message": f"{answer.status} {answer.reason[:_MOST_REASON]}"}
    return error_of(answer.body) or by_status


def _retry_after(answer: Answer) -> float | None:
    """In seconds, from either form of the header (RFC 9110, 10.2.3); None if it is missing or makes no sense."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _is_unsent(error: requests.RequestException) -> bool:
    """Whether there was no connection."""
    return isinstance(error, requests.ConnectTimeout) or any(
        isinstance(getattr(inner, "reason", None), NewConnectionError) for inner in error.args
    )


def _reason(error: requests.RequestException) -> str:
    """The innermost reason of a failed request, without the names of the exceptions around it."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    reason: Any = error
    while isinstance(reason, Exception) and (inner := getattr(reason, "reason", None) or next(iter(reason.args), None)):
        reason = inner
    return _ERROR_NUMBER.sub("", str(reason).rpartition(": ")[2]) or type(error).__name__
