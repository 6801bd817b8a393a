"""Reads what a service says. Whoever is at its address may say anything, which goes into files and to terminals."""

import json
import math
import re
import unicodedata
from typing import Any, NoReturn, TypeGuard

_MOST_PREDICTIONS = 1000
_MOST_CHARACTERS = 1000
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
# Control characters, halves of characters, and breaks of lines: no label has them.
_NEVER_IN_LABELS = frozenset(("Cc", "Cs", "Zl", "Zp"))


class BadAnswer(ValueError):
    """It is not what ``clip`` answers. The message says how."""


def read_json(body: bytes) -> dict[str, Any]:
    """The object that an answer is.

    Raises:
        BadAnswer: it is something else, or has numbers that JSON does not know.
    """
    try:
        said = json.loads(body, parse_float=_finite, parse_constant=_refuse)
    except (ValueError, RecursionError):  # of many brackets
        raise BadAnswer("The answer is not JSON.") from None
    if not isinstance(said, dict):
        raise BadAnswer("The answer is not a JSON object.")
    return said


def recognition(said: dict[str, Any]) -> dict[str, Any]:
    """The same, if it is an answer to a photo.

    Raises:
        BadAnswer: it is not.
    """
    predictions = said.get("predictions")
    if not isinstance(predictions, list) or not 0 < len(predictions) <= _MOST_PREDICTIONS or "error" in said:
        raise BadAnswer("The answer has no predictions.")
    if not all(
        isinstance(one, dict) and _is_label(one.get("label")) and _is_share(one.get("score")) for one in predictions
    ):
        raise BadAnswer("The answer has a prediction that is not a label with a score.")
    instead = said.get("instead")
    if instead is not None and not (isinstance(instead, dict) and _is_label(instead.get("label"))):
        raise BadAnswer("The answer has something else instead of a label.")
    if not isinstance(said.get("recognized", False), bool) or not _is_share(said.get("confidence", 0.0)):
        raise BadAnswer("The answer does not say how sure it is.")
    return said


def error_of(body: bytes) -> dict[str, str] | None:
    """Code and message of an error in the form of ``clip``'s; None for anything else."""
    try:
        said = read_json(body).get("error")
    except BadAnswer:
        return None
    if not isinstance(said, dict):
        return None
    code, message = said.get("code"), said.get("message")
    if not (isinstance(code, str) and _CODE.fullmatch(code) and isinstance(message, str)):
        return None
    return {"code": code, "message": message[:_MOST_CHARACTERS]}


def limits(said: dict[str, Any]) -> tuple[int, int]:
    """What the description of ``clip`` says: the bytes that an image may have, and the requests at a time (0: nothing).

    Raises:
        BadAnswer: it is not such a description.
    """
    stated = said.get("limits")
    if isinstance(said.get("model"), str) and isinstance(stated, dict):
        most, at_a_time = stated.get("max_image_bytes"), stated.get("max_inflight", 0)
        if _is_count(most) and most > 0 and _is_count(at_a_time):
            return most, at_a_time
    raise BadAnswer("The answer is not a description.")


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_label(value: Any) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _MOST_CHARACTERS
        and not any(unicodedata.category(character) in _NEVER_IN_LABELS for character in value)
    )


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(text)
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
