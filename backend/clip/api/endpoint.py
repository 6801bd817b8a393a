"""What an endpoint is: a path, its methods, and the form of its errors. Each has a module of its own in this folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server.interface import Event, Response

from ..deadline import Deadline
from ..errors import RequestError
from ..service import Service
from .answer import error as usual_error

Route = Callable[[Service, Event, Deadline], Response]
"""Is given the service, the request and its deadline. Returns the response or raises a RequestError."""


@dataclass(frozen=True)
class Endpoint:
    path: str
    routes: Mapping[str, Route]
    """By method. What takes GET takes HEAD as well."""
    error: Callable[[RequestError], Response] = usual_error
    """The answer to a request that cannot be answered."""
