"""The context of a request."""

import math

from server.interface import Context


def caller(call_id: str = "", deadline: float = math.inf, gone: bool = False) -> Context:
    """A context with its deadline, and whether the caller has disconnected."""
    return Context(call_id, deadline, lambda: gone)
