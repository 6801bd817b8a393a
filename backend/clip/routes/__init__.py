"""One module for each way to ask. A route is given the service, the request and its deadline, and returns the response
or raises a RequestError."""

from collections.abc import Callable

from ..deadline import Deadline
from ..interface import Event, Response
from ..service import Service

Route = Callable[[Service, Event, Deadline], Response]
