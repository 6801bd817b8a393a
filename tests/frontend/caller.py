"""The context of a request."""

import math

from frontend.index.interface import Context


def caller(call_id: str = "", deadline: float = math.inf, gone: bool = False) -> Context:
    """Who asks, until when, and whether they have gone."""
    return Context(call_id, deadline, lambda: gone)
