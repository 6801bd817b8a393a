"""Settings in environment variables: durations, sizes and whole numbers, read strictly and in the same way everywhere.

The server, the functions and the local gateway read their settings by it. A variable that is empty counts as one that
is not set.
"""

import os
import re
from collections.abc import Mapping

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]+)?)"
_DURATION = re.compile(
    rf"(?:{_NUMBER} *h)? *(?:{_NUMBER} *m)? *(?:{_NUMBER} *s)? *(?:{_NUMBER} *ms)?|{_NUMBER}", re.I | re.A
)
_SECONDS = (3600.0, 60.0, 1.0, 0.001, 1.0)
_LEAST_SECONDS = 0.1
_SIZE = re.compile(rf"{_NUMBER} *([a-z]*)", re.IGNORECASE | re.ASCII)
_BYTES = {
    "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9,
    "k": 2**10, "ki": 2**10, "kib": 2**10, "m": 2**20, "mi": 2**20, "mib": 2**20, "g": 2**30, "gi": 2**30, "gib": 2**30,
}  # fmt: skip


def seconds(name: str, default: str, environment: Mapping[str, str] = os.environ) -> float:
    """Read a duration in seconds: ``23s``, ``500ms``, ``1m30s``, ``0.5h``; a number alone counts seconds.

    Raises:
        ValueError: naming the variable, when it is not a duration or less than 0.1 seconds.
    """
    text = environment.get(name) or default
    found = _DURATION.fullmatch(text.strip())
    parts = found.groups() if found else ()
    value = sum(float(part) * unit for part, unit in zip(parts, _SECONDS, strict=False) if part)
    if value < _LEAST_SECONDS:
        raise ValueError(f"{name} must be a duration such as {default}, and at least 100ms, not {text[:80]!r}")
    return value


def size(name: str, default: str, environment: Mapping[str, str] = os.environ) -> int:
    """Read a number of bytes: ``20MB`` is 20,000,000; ``20MiB``, ``20Mi`` and ``20m`` are 20,971,520.

    Raises:
        ValueError: naming the variable, when it is not a size or less than a byte.
    """
    text = environment.get(name) or default
    found = _SIZE.fullmatch(text.strip())
    value = int(float(found[1]) * _BYTES.get(found[2].lower(), 0)) if found else 0
    if value < 1:
        raise ValueError(f"{name} must be a size such as {default}, and at least 1, not {text[:80]!r}")
    return value


def count(name: str, default: str, environment: Mapping[str, str] = os.environ, *, least: int = 1) -> int:
    """Read a whole number.

    Raises:
        ValueError: naming the variable, when it is none or less than ``least``.
    """
    text = environment.get(name) or default
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()) or int(text) < least:
        raise ValueError(f"{name} must be a whole number such as {default}, and at least {least}, not {text[:80]!r}")
    return int(text)
