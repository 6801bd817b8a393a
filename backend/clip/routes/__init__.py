"""One module for each form of request.

A route is given the service, the request and its deadline. It returns the response or raises a RequestError.
"""

from collections.abc import Callable

from ..deadline import Deadline
from ..interface import Event, Response
from ..service import Service

Route = Callable[[Service, Event, Deadline], Response]
