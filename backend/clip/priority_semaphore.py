"""Which request is next where only so many may run at a time."""

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .deadline import Deadline
from .errors import Busy

_LOOK_EVERY = 0.1


class PrioritySemaphore:
    """A semaphore that lets the cheapest request pass first; requests of the same cost pass in the order of arrival."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[float, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, cost: float, deadline: Deadline) -> Iterator[None]:
        """Wait for a place and hold it for the length of the block. The wait is added to ``deadline.waited``.

        Raises:
            Busy: the wait took more than half of the time that the request had left, or its caller has gone.
        """
        start = time.monotonic()
        try:
            self._wait(cost, start + deadline.left() / 2, deadline)
        finally:
            deadline.waited += time.monotonic() - start
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _wait(self, cost: float, end: float, deadline: Deadline) -> None:
        deadline.require()
        ticket = (cost, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, ticket)
            try:
                while not (self._free and self._waiting[0] == ticket):
                    self._changed.wait(_LOOK_EVERY)
                    deadline.require()
                    if time.monotonic() > end:
                        raise Busy("The service is busy with other requests. Try again in a few seconds.")
                self._free -= 1
            finally:
                self._waiting.remove(ticket)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
