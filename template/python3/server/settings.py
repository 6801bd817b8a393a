"""The server's settings, from the environment; every default is here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`max_body_bytes`: larger request bodies are refused while they are read.
    `server_threads`: requests handled at the same time, more than the watchdog's `max_inflight`, so that none waits.
    `handler_wait`: seconds a request waits for the handler's import, less than the watchdog's `exec_timeout`.
    `request_timeout`: seconds that a handler has for a request, less than the watchdog's `exec_timeout`.
    """

    max_body_bytes: int = 32 * 1024 * 1024
    server_threads: int = 40
    handler_wait: float = 15.0
    request_timeout: float = 18.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Raises ValueError, naming the variable, for a value that is not a positive number."""
        return cls(
            max_body_bytes=int(_positive(environment, "max_body_bytes", cls.max_body_bytes)),
            server_threads=int(_positive(environment, "server_threads", cls.server_threads)),
            handler_wait=_positive(environment, "handler_wait", cls.handler_wait),
            request_timeout=_positive(environment, "request_timeout", cls.request_timeout),
        )


def _positive(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        value = float(text.removesuffix("s") or default)
    except ValueError:
        value = 0.0
    if not 1 <= value < float("inf"):
        raise ValueError(f"{name} must be a number of 1 or more, not {text!r}")
    return value
