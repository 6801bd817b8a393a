"""How many requests are under way at a time: as many as the service takes.

The number grows by one with every round of answers and shrinks by a quarter when the service refuses (additive
increase, multiplicative decrease: Chiu and Jain, 1989, as TCP does). One that was refused is tried again much later.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FIRST = 2
_DECREASE = 0.75
# Rounds of answers for one request more where the service has refused that many; half as many for the next one.
_ROUNDS = 100.0


class Stopped(Exception):
    """Nothing more is to be begun."""


class Concurrency:
    """Shared by all threads. A photo is in hand from `take` to `put_down`; its requests are made within `request`."""

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
        """The most requests that may be under way now."""
        return int(self._limit)

    def take(self) -> None:
        """Waits until another photo may be in hand. Raises Stopped."""
        with self._changed:
            self._wait_until(lambda: self._in_hand < self.limit)
            self._in_hand += 1

    def put_down(self) -> None:
        with self._changed:
            self._in_hand -= 1
            self._changed.notify_all()

    @contextmanager
    def request(self) -> Iterator[float]:
        """Waits until another request may be made, and gives the time when it begins. Raises Stopped."""
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
        """A request got an answer: the service may take more."""
        with self._changed:
            before = self.limit
            rounds = 1.0 if self._limit < self._ceiling else self._rounds
            self._limit = min(self._most, self._limit + 1 / (rounds * self._limit))
            if self.limit > max(before, self._ceiling):
                self._rounds = max(1.0, self._rounds / 2)
            self._answered_since = True
            self._changed.notify_all()

    def failed(self, began: float) -> None:
        """A request that began then got no answer of the service's: it may have been one too many."""
        with self._changed:
            self._decrease(began)

    def refused(self, began: float, pause: float) -> None:
        """The service did not take a request that began then. No other is begun for `pause` seconds."""
        with self._changed:
            if pause > 0:
                self._paused_until = max(self._paused_until, time.monotonic() + pause)
                self._changed.notify_all()
            most = self.limit
            if self._decrease(began):
                self._ceiling, self._rounds = max(1.0, most - 1.0), _ROUNDS

    def _decrease(self, began: float) -> bool:
        """Once for all requests of a round, and once for a time in which nothing is answered at all."""
        if began < self._decreased or not self._answered_since:
            return False
        self._limit = max(1.0, self._limit * _DECREASE)
        self._decreased = time.monotonic()
        self._answered_since = False
        return True

    def sleep(self, seconds: float) -> None:
        """Raises Stopped, as soon as that is so."""
        end = time.monotonic() + seconds
        with self._changed:
            self._wait_until(lambda: time.monotonic() >= end, end)

    def stop(self) -> None:
        """From now on, whoever waits or is about to begin something is told so."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait_until(self, ready: Callable[[], bool], wake_at: float = 0.0) -> None:
        while not self._stopped and not ready():
            seconds = max(wake_at, self._paused_until) - time.monotonic()
            self._changed.wait(seconds if seconds > 0 else None)
        if self._stopped:
            raise Stopped
