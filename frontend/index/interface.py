"""What the template's server and this function hand each other."""

from typing import Protocol, TypedDict

from werkzeug.datastructures import Headers, MultiDict


class Event(Protocol):
    """A request, with the body's bytes untouched and the path without the gateway's prefix."""

    body: bytes
    headers: Headers
    method: str
    path: str
    query: MultiDict[str, str]


class Context(Protocol):
    """Where the request belongs: its call id goes on to `clip`, so that one id joins both functions' logs.

    `deadline` is when its time is over, on the clock of `time.monotonic`.
    """

    call_id: str
    deadline: float

    def abandoned(self) -> bool:
        """Whether the caller has gone."""


class Answer(TypedDict):
    """A response: status, headers, body."""

    statusCode: int
    headers: dict[str, str]
    body: str | bytes
