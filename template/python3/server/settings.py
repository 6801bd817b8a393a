"""The server's settings, from the environment; every default is here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .cors import Origins
from .environment import count, seconds, size


@dataclass(frozen=True)
class Settings:
    """What can be set; sizes in bytes, times in seconds."""

    max_body_bytes: int
    """Larger request bodies are refused."""
    max_buffered_bytes: int
    """Of all bodies over 1 MiB that are held at a time; requests beyond it wait, then get 503."""
    server_threads: int
    """Requests handled at the same time: more than the watchdog's ``max_inflight``, so that none waits."""
    handler_wait: float
    """How long a request waits for the handler's import, less than the watchdog's ``exec_timeout``."""
    body_timeout: float
    """How long a request may take to arrive, less than ``request_timeout``."""
    request_timeout: float
    """From a request's first byte to its answer, less than the watchdog's ``exec_timeout``."""
    stuck_timeout: float
    """How long a handler may go on after that time, or a server do nothing, before it counts as stuck."""

    allow_origins: Origins
    """Whose pages may use the function from a browser."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read all of them.

        Raises:
            ValueError: naming the variable, for a value that makes no sense.
        """
        return cls(
            max_body_bytes=size("max_body_bytes", "32MiB", environment),
            max_buffered_bytes=size("max_buffered_bytes", "128MiB", environment),
            server_threads=count("server_threads", "40", environment),
            handler_wait=seconds("handler_wait", "15s", environment),
            body_timeout=seconds("body_timeout", "15s", environment),
            request_timeout=seconds("request_timeout", "18s", environment),
            stuck_timeout=seconds("stuck_timeout", "15s", environment),
            allow_origins=Origins.read(environment.get("allow_origins", "")),
        )
