"""The number of requests in flight: as many as the service takes.

The limit grows by one with every round of answers and shrinks by a quarter when the service refuses (additive increase,
multiplicative decrease: Chiu and Jain, 1989, as TCP does). Near a number that was refused it grows much more slowly.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FIRST = 2
# Of the requests that the service takes at a time, where it says so: the others are for other callers.
_SHARE = 0.75
_DECREASE = 0.75
# Rounds of answers for one more request, above the number that was refused. For each further one half as many.
_ROUNDS = 100.0


class Stopped(Exception):
    """The run is being ended."""


class Concurrency:
    """The limit on photos and on requests, shared by all threads.

    A photo is in memory between ``begin_photo`` and ``end_photo``. It takes at least one request, inside ``request``.

    Args:
        most: the limit is never higher.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(_FIRST, most))
        self._ceiling = float(most)
        self._rounds = _ROUNDS
        self._photos = 0
        self._in_flight = 0
        self._paused_until = 0.0
        self._decreased = 0.0
        self._answered_since = True
        self._begun = False
        self._stopped = False
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    def begin_at(self, most: int) -> None:
        """Begin with three quarters of the ``most`` requests that the service takes at a time, before any is sent.

        Where the service does not say how many it takes, ``most`` is 0. Later calls change nothing.
        """
        with self._changed:
            if most and not self._begun:
                self._limit = float(max(1, min(self._most, int(_SHARE * most))))
                self._changed.notify_all()
            self._begun = True

    def begin_photo(self) -> None:
        """Wait until another photo may be read.

        Raises:
            Stopped: the run is being ended.
        """
        with self._changed:
            self._wait_until(lambda: self._photos < self.limit)
            self._photos += 1

    def end_photo(self) -> None:
        with self._changed:
            self._photos -= 1
            self._changed.notify_all()

    @contextmanager
    def request(self) -> Iterator[float]:
        """Wait until another request may be sent; gives the time (``time.monotonic``) at which it is.

        Raises:
            Stopped: the run is being ended.
        """
        with self._changed:
            self._wait_until(lambda: self._in_flight < self.limit and time.monotonic() >= self._paused_until)
            self._in_flight += 1
        try:
            yield time.monotonic()
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def answered(self) -> None:
        """Note that a request was answered: the service may take more of them."""
        with self._changed:
            before = self.limit
            rounds = 1.0 if self._limit < self._ceiling else self._rounds
            self._limit = min(self._most, self._limit + 1 / (rounds * self._limit))
            if self.limit > max(before, self._ceiling):
                self._rounds = max(1.0, self._rounds / 2)
            self._answered_since = True
            self._changed.notify_all()

    def failed(self, began: float) -> None:
        """Note that a request that began at this time failed: there may have been too many of them."""
        with self._changed:
            self._decrease(began)

    def refused(self, began: float, pause: float) -> None:
        """Note that the service refused a request that began at this time, and send no other for ``pause`` seconds."""
        with self._changed:
            if pause > 0:
                self._paused_until = max(self._paused_until, time.monotonic() + pause)
                self._changed.notify_all()
            most = self.limit
            if self._decrease(began):
                self._ceiling, self._rounds = max(1.0, most - 1.0), _ROUNDS

    def _decrease(self, began: float) -> bool:
        """Lower the limit, but only once for all requests of a round, and once while nothing at all is answered."""
        if began < self._decreased or not self._answered_since:
            return False
        self._limit = max(1.0, self._limit * _DECREASE)
        self._decreased = time.monotonic()
        self._answered_since = False
        return True

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: the run is being ended, which does not wait for the time to be over.
        """
        end = time.monotonic() + seconds
        with self._changed:
            self._wait_until(lambda: time.monotonic() >= end, end)

    def stop(self) -> None:
        """End the run: all methods that wait raise Stopped from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait_until(self, ready: Callable[[], bool], wake_at: float = 0.0) -> None:
        while not self._stopped and not ready():
            seconds = max(wake_at, self._paused_until) - time.monotonic()
            self._changed.wait(seconds if seconds > 0 else None)
        if self._stopped:
            raise Stopped
