"""The server's settings, from the environment; every default is here."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmg])(i?b?)|b)?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_SECONDS = (3600.0, 60.0, 1.0, 0.001)


@dataclass(frozen=True)
class Settings:
    """`max_body_bytes`: larger request bodies are refused.
    `max_buffered_bytes`: of all bodies over 1 MiB that are held at a time; who exceeds it waits, then is refused.
    `server_threads`: requests handled at the same time, more than the watchdog's `max_inflight`, so that none waits.
    `handler_wait`: seconds a request waits for the handler's import, less than the watchdog's `exec_timeout`.
    `body_timeout`: seconds that a request may take to arrive, less than `request_timeout`.
    `request_timeout`: seconds from a request's first byte to its answer, less than the watchdog's `exec_timeout`.
    `stuck_timeout`: seconds after which a handler past that time, or a server that does nothing, counts as stuck.
    """

    max_body_bytes: int = 32 << 20
    max_buffered_bytes: int = 128 << 20
    server_threads: int = 40
    handler_wait: float = 15.0
    body_timeout: float = 15.0
    request_timeout: float = 18.0
    stuck_timeout: float = 15.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Raises ValueError, naming the variable, for a value that makes no sense."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            if text := environment.get(field.name, ""):
                values[field.name] = _read(field.name, text)
        return cls(**values)


def _read(name: str, text: str) -> float:
    if name.endswith("_bytes"):
        parse: Callable[[str], float] = size
        example = "a size such as 20971520, 20MB or 20MiB"
    elif name == "server_threads":
        parse, example = int, "a whole number such as 40"
    else:
        parse, example = seconds, "a duration such as 18, 18s or 500ms"
    try:
        value = parse(text)
    except (ValueError, OverflowError):
        value = 0
    if value <= 0:
        raise ValueError(f"{name} must be {example}, and more than 0, not {text!r}")
    return value


def size(text: str) -> int:
    """Returns a number of bytes: `20MB` is 20,000,000, `20MiB`, `20Mi` and `20m` are 20,971,520. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no size")
    number, letter, rest = found.groups()
    base = 1000 if rest and rest.lower() == "b" else 1024
    return int(float(number) * base ** _POWERS[letter.lower()]) if letter else int(float(number))


def seconds(text: str) -> float:
    """Returns a duration in seconds: `18`, `18s`, `500ms`, `1m30s`. Raises ValueError."""
    text = text.strip()
    try:
        value = float(text)
    except ValueError:
        found = _DURATION.fullmatch(text)
        if not text or not found:
            raise ValueError(f"{text!r} is no duration") from None
        value = sum(float(part or 0) * unit for part, unit in zip(found.groups(), _SECONDS, strict=True))
    if not value < float("inf"):
        raise ValueError(f"{text!r} is no duration")
    return value
