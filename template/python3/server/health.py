"""Tells the watchdog whether this container is healthy, and ends one that is stuck, so that it is replaced."""

import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

_log = logging.getLogger("function")


class Lock:
    """The file that makes the watchdog report this container as healthy."""

    def __init__(self, path: Path | None) -> None:
        """``path`` is None where there is no watchdog."""
        self._path = path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Lock":
        """The file is written only where ``suppress_lock`` tells the watchdog to leave that to the function."""
        suppressed = environment.get("suppress_lock") == "true"
        return cls(Path(environment.get("TMPDIR", "/tmp"), ".lock") if suppressed else None)  # noqa: S108

    def write(self) -> None:
        try:
            if self._path is not None:
                self._path.touch()
        except OSError as error:
            _log.error("Cannot write %s: %s. The watchdog will call this container unhealthy.", self._path, error)

    def remove(self) -> None:
        try:
            if self._path is not None:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.error("Cannot remove %s: %s.", self._path, error)


class Health:
    """Watches a server that has started.

    The server is stuck when a handler still works ``stuck_timeout`` seconds after the end of its request's time, or
    when the server's loop has not run for as long. A server that is merely busy is not stuck. The lock file of a stuck
    server is removed, so that it gets no new requests, and after another ``stuck_timeout`` the process ends. If the
    interpreter itself hangs, so that no Python code runs, the process ends all the same.
    """

    def __init__(self, lock: Lock, stuck_timeout: float) -> None:
        """``stuck_timeout`` in seconds."""
        self._lock = lock
        self._stuck_timeout = stuck_timeout
        self._deadlines: dict[int, float] = {}
        self._beat = time.monotonic()

    def beat(self) -> None:
        """Record that the server's loop runs."""
        self._beat = time.monotonic()

    @contextmanager
    def handling(self, deadline: float) -> Iterator[None]:
        """Record, for the length of the block, that this thread handles a request.

        Args:
            deadline: the end of the request's time, on the clock of ``time.monotonic``.
        """
        thread = threading.get_ident()
        self._deadlines[thread] = deadline
        try:
            yield
        finally:
            del self._deadlines[thread]

    def watch(self) -> NoReturn:
        """Look again and again, until the server is stuck, then end the process."""
        while (reason := self._stuck()) is None:
            self._end_without_the_interpreter(self._stuck_timeout)
            time.sleep(min(1.0, self._stuck_timeout / 4))
        _log.critical("this container is not healthy and ends in %g s: %s", self._stuck_timeout, reason)
        self._lock.remove()
        self._end_without_the_interpreter(2 * self._stuck_timeout)
        time.sleep(self._stuck_timeout)
        os._exit(1)

    def _end_without_the_interpreter(self, seconds: float) -> None:
        """End the process after this time unless this is called again: a thread does it that needs no interpreter."""
        faulthandler.dump_traceback_later(seconds, exit=True)

    def _stuck(self) -> str | None:
        earliest = time.monotonic() - self._stuck_timeout
        if self._beat < earliest:
            return "the server's loop does not run"
        for thread, deadline in list(self._deadlines.items()):
            if deadline < earliest and (frame := sys._current_frames().get(thread)):  # noqa: SLF001 - documented
                return "a request is still handled long after its time, in " + "".join(
                    traceback.format_stack(frame)[-2:]
                )
        return None
