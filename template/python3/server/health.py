"""Whether this container is healthy, and its end when it is not and will not be: the platform then replaces it."""

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
    """The file that makes the watchdog call this container healthy; `path` None where there is no watchdog."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Lock":
        """Only where the watchdog is told to leave the file to the function."""
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

    It is stuck when a handler is busy for `stuck_timeout` seconds after its request's time was over, or when nothing is
    accepted or read for as long; not when it has much to do. Then the lock goes, so that no new requests come, and as
    much later the process ends. Where no Python code runs any more, the process ends without that.
    """

    def __init__(self, lock: Lock, stuck_timeout: float) -> None:
        self._lock = lock
        self._stuck_timeout = stuck_timeout
        self._deadlines: dict[int, float] = {}
        self._beat = time.monotonic()

    def beat(self) -> None:
        """The server's loop runs."""
        self._beat = time.monotonic()

    @contextmanager
    def handling(self, deadline: float) -> Iterator[None]:
        """This thread handles a request whose time is over at `deadline`, on the clock of `time.monotonic`."""
        thread = threading.get_ident()
        self._deadlines[thread] = deadline
        try:
            yield
        finally:
            del self._deadlines[thread]

    def watch(self) -> NoReturn:
        while (reason := self._stuck()) is None:
            self._end_without_the_interpreter(self._stuck_timeout)
            time.sleep(min(1.0, self._stuck_timeout / 4))
        _log.critical("this container is not healthy and ends in %g s: %s", self._stuck_timeout, reason)
        self._lock.remove()
        self._end_without_the_interpreter(2 * self._stuck_timeout)
        time.sleep(self._stuck_timeout)
        os._exit(1)

    def _end_without_the_interpreter(self, seconds: float) -> None:
        """A thread of C's ends the process, unless it is told otherwise before."""
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
