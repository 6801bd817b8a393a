"""Which request is next where only so many may run at a time."""

import math
import operator
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .deadline import Deadline
from .errors import Busy

_LOOK_EVERY = 0.1


class _Ticket:
    def __init__(self, cost: float) -> None:
        self.cost = cost
        self.granted = threading.Event()


class PrioritySemaphore:
    """A semaphore that lets the cheapest request pass first, and at every second turn the one that came first.

    So cheap ones wait for few others, and no stream of cheap ones keeps an expensive one waiting for ever. Requests of
    the same cost pass in the order of arrival, and those of an infinite cost only while no other waits.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[_Ticket] = []
        """In the order of arrival."""
        self._is_turn_of_first = False
        self._lock = threading.Lock()

    @property
    def contended(self) -> bool:
        """Whether a request of finite cost waits."""
        with self._lock:
            return any(ticket.cost < math.inf for ticket in self._waiting)

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
            self._release()

    def _wait(self, cost: float, end: float, deadline: Deadline) -> None:
        deadline.require()
        ticket = _Ticket(cost)
        with self._lock:
            self._waiting.append(ticket)
            self._pass_on()
        try:
            while not ticket.granted.wait(_LOOK_EVERY):
                deadline.require()
                if time.monotonic() > end:
                    raise Busy("The service is busy with other requests. Try again in a few seconds.")
        except BaseException:
            with self._lock:
                leaves = not ticket.granted.is_set()
                if leaves:
                    self._waiting.remove(ticket)
            if not leaves:
                self._release()
            raise

    def _release(self) -> None:
        with self._lock:
            self._free += 1
            self._pass_on()

    def _pass_on(self) -> None:
        while self._free and self._waiting:
            hopeful = [ticket for ticket in self._waiting if ticket.cost < math.inf] or self._waiting
            chosen = hopeful[0] if self._is_turn_of_first else min(hopeful, key=operator.attrgetter("cost"))
            if len(hopeful) > 1:
                self._is_turn_of_first = not self._is_turn_of_first
            self._waiting.remove(chosen)
            self._free -= 1
            chosen.granted.set()
