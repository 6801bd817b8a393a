"""Finds how many requests the service takes at a time.

The number grows by one with every round of answers and shrinks by a quarter when the service refuses (additive
increase, multiplicative decrease: Chiu and Jain, 1989, as TCP does). A number that was refused is tried again much
later.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FIRST = 2
_DECREASE = 0.75
# So many rounds of answers until one request more is tried than the service has refused; half as many until the next
# one.
_ROUNDS = 100.0


class Stopped(Exception):
    """No more requests are to be made."""


class Concurrency:
    """Shared by all threads. A photo is in hand from ``take`` to ``put_down``; its requests are made in ``request``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(_FIRST, most))
        self._ceiling = float(most)
        self._rounds = _ROUNDS
        self._in_hand = 0
        self._under_way = 0
        self._paused_until = 0.0
        self._decreased = 0.0
        self._answered_since = True
        self._stopped = False
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return int(self._limit)

    def take(self) -> None:
        """Wait until another photo may be in hand.

        Raises:
            Stopped: no more are.
        """
        with self._changed:
            self._wait_until(lambda: self._in_hand < self.limit)
            self._in_hand += 1

    def put_down(self) -> None:
        """The photo is done with."""
        with self._changed:
            self._in_hand -= 1
            self._changed.notify_all()

    @contextmanager
    def request(self) -> Iterator[float]:
        """Wait until another request may be made, which is made in the block. Yields the time when it begins.

        Raises:
            Stopped: no more are.
        """
        with self._changed:
            self._wait_until(lambda: self._under_way < self.limit and time.monotonic() >= self._paused_until)
            self._under_way += 1
        try:
            yield time.monotonic()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def answered(self) -> None:
        """A request was answered: the service may take more of them."""
        with self._changed:
            before = self.limit
            rounds = 1.0 if self._limit < self._ceiling else self._rounds
            self._limit = min(self._most, self._limit + 1 / (rounds * self._limit))
            if self.limit > max(before, self._ceiling):
                self._rounds = max(1.0, self._rounds / 2)
            self._answered_since = True
            self._changed.notify_all()

    def failed(self, began: float) -> None:
        """A request that began then was not answered by the service: there may have been too many."""
        with self._changed:
            self._decrease(began)

    def refused(self, began: float, pause: float) -> None:
        """The service refused a request that began then. No other is made for ``pause`` seconds."""
        with self._changed:
            if pause > 0:
                self._paused_until = max(self._paused_until, time.monotonic() + pause)
                self._changed.notify_all()
            most = self.limit
            if self._decrease(began):
                self._ceiling, self._rounds = max(1.0, most - 1.0), _ROUNDS

    def _decrease(self, began: float) -> bool:
        """Decrease the limit, but only once for the requests of a round, and once until there is an answer."""
        if began < self._decreased or not self._answered_since:
            return False
        self._limit = max(1.0, self._limit * _DECREASE)
        self._decreased = time.monotonic()
        self._answered_since = False
        return True

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds.

        Raises:
            Stopped: as soon as ``stop`` is called.
        """
        end = time.monotonic() + seconds
        with self._changed:
            self._wait_until(lambda: time.monotonic() >= end, end)

    def stop(self) -> None:
        """Have all other methods that wait raise Stopped from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait_until(self, ready: Callable[[], bool], wake_at: float = 0.0) -> None:
        while not self._stopped and not ready():
            seconds = max(wake_at, self._paused_until) - time.monotonic()
            self._changed.wait(seconds if seconds > 0 else None)
        if self._stopped:
            raise Stopped
