"""What can be set in the environment, read strictly: a value that makes no sense ends the function when it starts."""

import os
import re
from collections.abc import Mapping


def seconds(name: str, default: str, environment: Mapping[str, str] = os.environ) -> float:
    """A duration: `23` and `23s` are 23 seconds, `500ms` is half of one. Raises ValueError, naming the variable."""
    text = environment.get(name) or default
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?) *(ms|s|)", text.strip().lower())
    value = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else 0.0
    if not value:
        raise ValueError(f"{name} must be a duration such as {default}, not {text[:80]!r}")
    return value


def count(name: str, default: str, environment: Mapping[str, str] = os.environ) -> int:
    """A whole number, 0 included. Raises ValueError, naming the variable."""
    text = environment.get(name) or default
    if not re.fullmatch(r"[0-9]{1,9}", text.strip()):
        raise ValueError(f"{name} must be a whole number such as {default}, not {text[:80]!r}")
    return int(text)
