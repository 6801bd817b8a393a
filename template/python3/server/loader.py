"""``function.handler``, imported in the background while requests already come in."""

import importlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from .interface import Context, Event

_log = logging.getLogger("function")


class Loader:
    """Imports the function's handler once. Its methods may be called from any number of threads."""

    def __init__(self) -> None:
        self._finished = threading.Event()
        self._handle: Callable[[Event, Context], Any] | None = None

    def start(self) -> None:
        """Begin the import in a thread of its own."""
        threading.Thread(target=self._load, name="loader", daemon=True).start()

    def _load(self) -> None:
        start = time.monotonic()
        try:
            self._handle = importlib.import_module("function.handler").handle
        except BaseException as error:  # a handler that calls sys.exit() has failed as well
            _log.critical("the handler cannot be imported: %s: %s", type(error).__name__, error, exc_info=True)
        else:
            _log.info("the handler is ready after %.2f s", time.monotonic() - start)
        finally:
            self._finished.set()

    @property
    def failed(self) -> bool:
        """Whether the import has ended without a handler."""
        return self._finished.is_set() and self._handle is None

    def wait(self, seconds: float | None = None) -> Callable[[Event, Context], Any] | None:
        """Wait for the handler, at most so many seconds; None waits for the end of the import.

        Returns:
            The handler, or None if it is not imported by then or cannot be imported.
        """
        self._finished.wait(seconds)
        return self._handle
