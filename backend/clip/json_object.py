"""Reads request bodies in JSON, which may come from strangers, within limits."""

import json
from collections.abc import Collection
from typing import Any

from .errors import BadParameter

# A body of 32 MiB could hold ten million values, which would take a gigabyte.
_MAX_VALUES = 100_000
_START = 64


def is_object(body: bytes) -> bool:
    """Whether the body begins like a JSON object, which no image and no base64 of one does."""
    return body[:_START].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object. All strings in it can be encoded as UTF-8.

    Raises:
        BadParameter: it is no JSON object by RFC 8259, has a name twice, has too many values or is nested too deeply.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > _MAX_VALUES:
        raise BadParameter(f"The JSON has too many values; at most {_MAX_VALUES:,} are accepted.")
    try:
        value = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refuse)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # fails for half of a surrogate pair
    except RecursionError as error:
        raise BadParameter("The JSON is nested too deeply.") from error
    except ValueError as error:  # what json, its numbers and UTF-8 raise
        raise BadParameter("The body is not valid JSON, in UTF-8 and with each name once.") from error
    if not isinstance(value, dict):
        raise BadParameter("The JSON must be an object.")
    return value


def require_known(names: Collection[str], known: Collection[str]) -> None:
    """Raise BadParameter for the first name that is not among the ``known`` ones."""
    for name in names:
        if name not in known:
            shown = name if len(name) <= 40 else name[:40] + "…"
            raise BadParameter(f"The JSON may not have '{shown}' there, only: {', '.join(known)}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
