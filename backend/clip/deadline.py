"""How much time a request has left, whether its caller still waits, and what its time went to."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import Busy


@dataclass
class Deadline:
    """The end of a request's time. Call ``require`` before work that takes time."""

    at: float
    """On the clock of ``time.monotonic``, in seconds."""
    abandoned: Callable[[], bool]
    """Whether the caller has closed the connection."""
    images: int = 1
    """How many images the request has yet to have done, that in work included. Who has fewer left goes first."""
    waited: float = 0.0
    """Seconds that the request waited in line behind other requests."""
    fetching: float = 0.0
    """Seconds until its image was here, where it sent a URL."""
    decoding: float = 0.0
    """Seconds that decoding its images took."""
    inference: float = 0.0
    """Seconds that the model took for its images and its new labels."""

    @classmethod
    def unlimited(cls) -> "Deadline":
        """A deadline for work that no request waits for."""
        return cls(math.inf, lambda: False)

    def left(self) -> float:
        """Seconds until the end, at least 0."""
        return max(0.0, self.at - time.monotonic())

    def require(self) -> None:
        """Raise Busy if the time is over or the caller has gone."""
        if self.left() == 0 or self.abandoned():
            raise Busy("The service is busy, and the time for this request is over. Try again in a few seconds.")

    @contextmanager
    def fetches(self) -> Iterator[None]:
        """Count the time of the block as fetching."""
        start = self._clock()
        try:
            yield
        finally:
            self.fetching += self._clock() - start

    @contextmanager
    def decodes(self) -> Iterator[None]:
        """Count the time of the block as decoding, except for its waits."""
        start = self._clock()
        try:
            yield
        finally:
            self.decoding += self._clock() - start

    @contextmanager
    def infers(self) -> Iterator[None]:
        """Count the time of the block as inference, except for its waits."""
        start = self._clock()
        try:
            yield
        finally:
            self.inference += self._clock() - start

    def _clock(self) -> float:
        """Seconds, on a clock that stands still while the request waits in line."""
        return time.monotonic() - self.waited
