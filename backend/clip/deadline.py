"""How long a request may still take, whether anybody waits for its answer, and what its time went to."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    decoding: float = 0.0
    """Seconds that its images took to decode."""
    inference: float = 0.0
    """Seconds that the model took, for its images and for labels that were new."""

    @classmethod
    def unlimited(cls) -> "Deadline":
        """For work that is no request's."""
        return cls(math.inf, lambda: False)

    def left(self) -> float:
        """Seconds until the end, at least 0."""
        return max(0.0, self.at - time.monotonic())

    def require(self) -> None:
        """Raise Busy when the time is over or nobody waits any more."""
        if self.left() == 0 or self.abandoned():
            raise Busy("The service is busy, and the time for this request is over. Try again in a few seconds.")

    @contextmanager
    def decodes(self) -> Iterator[None]:
        """Count the block as decoding, but for what it waits."""
        start = self._clock()
        try:
            yield
        finally:
            self.decoding += self._clock() - start

    @contextmanager
    def infers(self) -> Iterator[None]:
        """Count the block as inference, but for what it waits."""
        start = self._clock()
        try:
            yield
        finally:
            self.inference += self._clock() - start

    def _clock(self) -> float:
        """Seconds on a clock that stands still while the request stands in line."""
        return time.monotonic() - self.waited
