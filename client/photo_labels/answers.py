"""Reads what a service says. Whoever is at its address may say anything, which goes into files and to terminals."""

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

_MOST_PREDICTIONS = 1000
_MOST_CHARACTERS = 1000
_LONGEST_PATH = 20
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
    if not all(_is_word(one) and _is_share(one.get("score")) for one in predictions):
        raise BadAnswer("The answer has a prediction that is not a label with a score.")
    tags = said.get("tags", [])
    if not (isinstance(tags, list) and len(tags) <= _MOST_PREDICTIONS and all(map(_is_tag, tags))):
        raise BadAnswer("The answer has a tag that is not a label with a confidence and a path of labels.")
    instead = said.get("instead")
    if instead is not None and not (_is_word(instead) and _is_share(instead.get("confidence", 0.0))):
        raise BadAnswer("The answer has something else instead of a label.")
    if not isinstance(said.get("recognized", False), bool) or not _is_share(said.get("confidence", 0.0)):
        raise BadAnswer("The answer does not say how sure it is.")
    return said


def error_of(body: bytes) -> dict[str, str] | None:
    """Code and message of an error in the form of ``clip``'s; None for anything else."""
    try:
        return problem(read_json(body))
    except BadAnswer:
        return None


def problem(said: dict[str, Any]) -> dict[str, str]:
    """Code and message of the error that an answer is.

    Raises:
        BadAnswer: it is something else.
    """
    error = said.get("error")
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    if not (isinstance(code, str) and _CODE.fullmatch(code) and isinstance(message, str)):
        raise BadAnswer("The answer is not an error with a code and a message.")
    return {"code": code, "message": message[:_MOST_CHARACTERS]}


@dataclass(frozen=True)
class Description:
    """What ``clip`` says of itself."""

    model: str
    max_image_bytes: int
    max_inflight: int
    """How many requests it takes at a time; 0 where it does not say."""
    is_open: bool = False
    """Whether it understands any text, and not only the words of its lists."""
    sufficient_side: int = 0
    """Pixels: it shrinks JPEGs itself as long as no side becomes shorter than this; 0 where it does not say."""


def description(said: dict[str, Any]) -> Description:
    """Read a description.

    Raises:
        BadAnswer: it is not one.
    """
    model, stated = said.get("model"), said.get("limits")
    if _is_label(model) and isinstance(stated, dict):
        most, at_a_time = stated.get("max_image_bytes"), stated.get("max_inflight", 0)
        side = said.get("sufficient_side", 0)
        if _is_count(most) and most > 0 and _is_count(at_a_time) and _is_count(side):
            return Description(model, most, at_a_time, said.get("vocabulary") == "open", side)
    raise BadAnswer("The answer is not a description.")


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_label(value: Any) -> TypeGuard[str]:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _MOST_CHARACTERS
        and not any(unicodedata.category(character) in _NEVER_IN_LABELS for character in value)
    )


def _is_word(value: Any) -> bool:
    """Whether it is an object with a label, which may be in another language and have the English one beside it."""
    return (
        isinstance(value, dict) and _is_label(value.get("label")) and _is_label(value.get("label_en", value["label"]))
    )


def _is_tag(value: Any) -> bool:
    if not (_is_word(value) and _is_share(value.get("confidence"))):
        return False
    path = value.get("path")
    return isinstance(path, list) and len(path) <= _LONGEST_PATH and all(map(_is_label, path))


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(text)
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
