"""How long a request may still take, and whether anybody waits for its answer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import Busy

_LOOK_EVERY = 0.1


@dataclass
class Deadline:
    """The end of a request's time. Work is begun only while ``require`` lets it."""

    at: float
    """On the clock of ``time.monotonic``, in seconds."""
    abandoned: Callable[[], bool]
    """Whether the caller has closed the connection."""
    waited: float = 0.0
    """Seconds that the request stood in line for what other requests held."""

    def left(self) -> float:
        """Seconds until the end, at least 0."""
        return max(0.0, self.at - time.monotonic())

    def require(self) -> None:
        """Raise Busy when the time is over or nobody waits any more."""
        if self.left() == 0 or self.abandoned():
            raise Busy("The service is busy, and the time for this request is over. Try again in a few seconds.")

    @contextmanager
    def turn(self, lock: "threading.Lock | threading.Semaphore") -> Iterator[None]:
        """Hold ``lock`` in the block; the wait for it is counted in ``waited``.

        Raises:
            Busy: it was not free in time, or the caller has gone meanwhile.
        """
        start = time.monotonic()
        try:
            self.require()
            while not lock.acquire(timeout=_LOOK_EVERY):
                self.require()
        finally:
            self.waited += time.monotonic() - start
        try:
            self.require()
            yield
        finally:
            lock.release()
