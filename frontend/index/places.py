"""How many requests ``index`` has at ``clip`` at a time; the others wait in the order in which they came."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import Failure

_LOOK_EVERY = 0.1
_RETRY_AFTER = "2"


class Places:
    """Places for requests. May be used by any number of threads."""

    def __init__(self, count: int) -> None:
        """``count``: how many there are; 0 for any number."""
        self._count = count
        self._taken = 0
        self._waiting: list[object] = []
        self._changed = threading.Condition()

    def resize(self, count: int) -> None:
        """Have so many places from now on; 0 for any number."""
        with self._changed:
            self._count = count
            self._changed.notify_all()

    @contextmanager
    def take(self, seconds: float, abandoned: Callable[[], bool]) -> Iterator[None]:
        """Hold a place for the length of the block.

        Args:
            seconds: how long to wait for it at most.
            abandoned: whether the caller has gone, who then needs no place.

        Raises:
            Failure: ``busy``: none was free in time.
        """
        self._wait(time.monotonic() + seconds, abandoned)
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()

    def _wait(self, end: float, abandoned: Callable[[], bool]) -> None:
        mine = object()
        with self._changed:
            self._waiting.append(mine)
            try:
                while not (self._waiting[0] is mine and self._is_free()):
                    if abandoned() or time.monotonic() >= end:
                        raise Failure(
                            "busy",
                            "The function clip is busy with other photos. Try again in a few seconds.",
                            {"Retry-After": _RETRY_AFTER},
                        )
                    self._changed.wait(min(_LOOK_EVERY, max(0.0, end - time.monotonic())))
                self._taken += 1
            finally:
                self._waiting.remove(mine)
                self._changed.notify_all()

    def _is_free(self) -> bool:
        return not self._count or self._taken < self._count
