"""How long a request may still take, and whether anybody waits for its answer."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import Busy


@dataclass
class Deadline:
    """The end of a request's time. Work is begun only while ``require`` lets it."""

    at: float
    """On the clock of ``time.monotonic``, in seconds."""
    abandoned: Callable[[], bool]
    """Whether the caller has closed the connection."""
    waited: float = 0.0
    """Seconds that the request stood in line for what other requests held."""

    @classmethod
    def unlimited(cls) -> "Deadline":
        """For work that is no request's."""
        return cls(math.inf, lambda: False)

    def left(self) -> float:
        """Seconds until the end, at least 0."""
        return max(0.0, self.at - time.monotonic())

    def clock(self) -> float:
        """Seconds on a clock that stands still while the request stands in line."""
        return time.monotonic() - self.waited

    def require(self) -> None:
        """Raise Busy when the time is over or nobody waits any more."""
        if self.left() == 0 or self.abandoned():
            raise Busy("The service is busy, and the time for this request is over. Try again in a few seconds.")
