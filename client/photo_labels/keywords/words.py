"""The words for a photo, out of the service's answer: those that it is recognized by, and no others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What no document in XML can have; of control characters and halves, labels have none.
_NOT_XML = re.compile("[\ufffe\uffff]")


@dataclass(frozen=True)
class Words:
    """Keywords of a photo.

    Attributes:
        flat: each word once, the more special ones before what they imply.
        paths: from the most general word to the most special one; none is the beginning of another.
    """

    flat: tuple[str, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()


def words_of(answer: Mapping[str, Any]) -> Words:
    """The words that an answer is sure of; none where it is an error."""
    paths = [(*tag["path"], tag["label"]) for tag in answer.get("tags", ())]
    known = {word for path in paths for word in path}
    for label in _labels(answer):
        if label not in known:
            paths.append((label,))
            known.add(label)
    paths = [path for path in dict.fromkeys(paths) if not any(_NOT_XML.search(word) for word in path)]
    flat = dict.fromkeys(word for path in paths for word in reversed(path))
    whole = [path for path in paths if not any(other[: len(path)] == path for other in paths if other != path)]
    return Words(tuple(flat), tuple(whole))


def _labels(answer: Mapping[str, Any]) -> list[str]:
    """The label that a photo is recognized by, or the word instead of one."""
    if answer.get("recognized"):
        return [answer["predictions"][0]["label"]]
    instead = answer.get("instead")
    return [instead["label"]] if instead else []
