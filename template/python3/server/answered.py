"""What became of each request: told to the log, and to whatever else counts it, such as a handler's metrics."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answered:
    """A request that has been answered, by the handler or by the server itself."""

    method: str
    path: str
    """"" where the request ended before it was read, as ``method``."""
    status: int
    code: str
    """The error's, or ""."""
    seconds: float
    """From its last byte to the answer."""
    bytes_in: int
    """The size of its body."""
    bytes_out: int
    """The size of the answer's body."""


observers: list[Callable[[Answered], None]] = []
"""Each is called with each request, in the thread that answers it, and must not raise."""


def tell(answered: Answered) -> None:
    """Tell all observers."""
    for observe in observers:
        observe(answered)
