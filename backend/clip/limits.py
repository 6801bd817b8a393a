"""What one request may ask for. The first three can be set in the function's environment."""

import os
import re
from collections.abc import Mapping

_UNITS = {
    "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9,
    "k": 2**10, "ki": 2**10, "kib": 2**10, "m": 2**20, "mi": 2**20, "mib": 2**20, "g": 2**30, "gi": 2**30, "gib": 2**30,
}  # fmt: skip


def size(name: str, default: int, environment: Mapping[str, str] = os.environ) -> int:
    """Read a number of bytes: ``20MB`` is 20,000,000, ``20MiB``, ``20Mi`` and ``20m`` are 20,971,520.

    Raises:
        ValueError: naming the variable, when it is not that.
    """
    text = environment.get(name) or str(default)
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]+)?) *([a-z]*)", text.strip().lower())
    value = int(float(found[1]) * _UNITS.get(found[2], 0)) if found else 0
    if value < 1:
        raise ValueError(f"{name} must be a size such as {default}, 20MB or 20MiB, not {text[:80]!r}")
    return value


def count(name: str, default: int, environment: Mapping[str, str] = os.environ) -> int:
    """Read a whole number.

    Raises:
        ValueError: naming the variable, when it is none or not positive.
    """
    text = environment.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()) or int(text) < 1:
        raise ValueError(f"{name} must be a whole number such as {default}, not {text[:80]!r}")
    return int(text)


def seconds(name: str, default: float, environment: Mapping[str, str] = os.environ) -> float:
    """Read a duration: ``5`` and ``5s`` are five seconds, ``500ms`` is half of one.

    Raises:
        ValueError: naming the variable, when it is none, or under 0.1 seconds.
    """
    text = environment.get(name) or str(default)
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?) *(ms|s|)", text.strip().lower())
    value = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else 0
    if value < 0.1:
        raise ValueError(f"{name} must be a duration such as {default:g}s, not {text[:80]!r}")
    return value


MAX_IMAGE_BYTES = size("max_image_bytes", 20 * 1024 * 1024)
MAX_IMAGE_PIXELS = count("max_image_pixels", 50_000_000)
DECODE_TIMEOUT = seconds("decode_timeout", 5)
"""How long decoding an image may take."""
MAX_LABELS = 1000
MAX_LABEL_CHARACTERS = 200
MAX_NEW_LABEL_TOKENS = 16_384
DEFAULT_TOP_K = 5
