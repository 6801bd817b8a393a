"""What a handler is given and what it returns: ``handle(event: Event, context: Context) -> Response``.

A handler imports them from here: ``from server.interface import Event``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from werkzeug.datastructures import Headers, MultiDict


@dataclass(frozen=True)
class Event:
    """A request."""

    body: bytes
    """What was sent, untouched."""
    headers: Headers
    method: str
    """A HEAD request comes as a GET."""
    path: str
    """Without the gateway's ``/function/NAME``."""
    query: MultiDict[str, str]


@dataclass(frozen=True)
class Context:
    """What the request belongs to."""

    call_id: str
    """One id joins the logs of all functions that take part."""
    deadline: float
    """When the time of the request is over, on the clock of ``time.monotonic``, in seconds."""
    abandoned: Callable[[], bool]
    """Whether the caller has closed the connection."""
    traceparent: str = ""
    """The trace that the request belongs to, as W3C's header of this name has it; "" for none."""


class Response(TypedDict):
    """The result of a handler."""

    statusCode: int
    headers: dict[str, str]
    body: str | bytes
    code: NotRequired[str]
    """The code of an error, for the log and the metrics; the caller has it from the body."""
