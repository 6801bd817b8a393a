"""Clip's answers in words: for the page, and for results without JavaScript."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

# What is said for each code in clip's ``warnings``.
_WARNINGS: dict[str, str] = json.loads((Path(__file__).parent / "page" / "warnings.json").read_text("utf-8"))

_COMMAS = re.compile("[,\uff0c\u3001\u060c]")  # as clip has them between labels
_NEAREST = 3  # so many labels are named where none is recognized
_LEAST = 0.01  # the least confidence of a guess that is shown


class Guess(NamedTuple):
    """A label after the best one."""

    label: str
    share: float
    """Its share of the best label's confidence, 0 to 1."""
    sure: str
    """The same as a percentage."""


class Verdict(NamedTuple):
    """What is said of a photo."""

    recognized: bool
    """As clip says."""
    eyebrow: str
    """The line above the best label."""
    best: str
    note: str
    """The line below it."""
    short: str
    """The same in a line."""
    guesses: Sequence[Guess]
    """What else it may be, if it is recognized."""

    def to_json(self) -> dict[str, Any]:
        return self._asdict() | {"guesses": [guess._asdict() for guess in self.guesses]}


def verdict(answer: Mapping[str, Any], parameters: Sequence[tuple[str, str]], known_words: str) -> Verdict:
    """The words for a prediction.

    Args:
        answer: clip's, for one photo.
        parameters: the query parameters that it was asked for with.
        known_words: what the page calls the recognizer's own labels, see ``known``.
    """
    said = _verdict(answer, parameters, known_words)
    notes = [said.note, *(_WARNINGS[code] for code in answer.get("warnings", ()) if code in _WARNINGS)]
    return said._replace(note=" · ".join(note for note in notes if note))


def _verdict(answer: Mapping[str, Any], parameters: Sequence[tuple[str, str]], known_words: str) -> Verdict:
    words = [word for name, value in parameters if name == "labels" for word in _COMMAS.split(value) if word.strip()]
    confidence, recognized, instead = answer["confidence"], answer["recognized"], answer.get("instead")
    label = answer["predictions"][0]["label"]
    how_sure = f"{sure(instead['confidence'] if instead and not recognized else confidence)} sure"
    guesses = _guesses(answer) if recognized else ()
    if len(words) == 1:
        best, note = "I do not think so", f"I would call it {instead['label']}, {how_sure}." if instead else ""
        if recognized:
            best, note = _yes(confidence), how_sure
        return Verdict(recognized, f"Is it “{label}”?", best, note, f"{label}? {best}", guesses)
    if recognized:
        return Verdict(recognized, _opinion(confidence), label, how_sure, f"{label}, {how_sure}", guesses)
    none = _none(parameters, words, known_words)
    if instead:
        eyebrow = f"{none} I would call it"
        return Verdict(recognized, eyebrow, instead["label"], how_sure, f"{eyebrow} {instead['label']}", guesses)
    near = ", ".join(one["label"] for one in answer["predictions"][:_NEAREST])
    return Verdict(
        recognized, none, "I do not recognize this", f"The nearest of them: {near}.", "not recognized", guesses
    )


def sure(confidence: float) -> str:
    """A probability, 0 to 1, as a percentage of at most 99: nothing is certain."""
    return f"{min(99, round(confidence * 100))}%"


def known(labels: Sequence[str]) -> str:
    """What the page calls a recognizer's own labels, which are none while they are not known yet."""
    count = "hundred" if len(labels) == 100 else f"{len(labels):,}"
    return f"The {count} words I know best" if labels else "The words I know best"


def _guesses(answer: Mapping[str, Any]) -> list[Guess]:
    best, *others = answer["predictions"]
    shares = [(one["label"], answer["confidence"] * one["score"] / best["score"]) for one in others]
    return [Guess(label, share, sure(share)) for label, share in shares if share >= _LEAST]


def _opinion(confidence: float) -> str:
    if confidence >= 0.9:
        return "I am sure: this is"
    return "This is likely" if confidence >= 0.7 else "It may be"


def _yes(confidence: float) -> str:
    if confidence >= 0.9:
        return "Yes"
    return "Most likely" if confidence >= 0.7 else "Maybe"


def _none(parameters: Sequence[tuple[str, str]], words: Sequence[str], known_words: str) -> str:
    """Says that clip recognized nothing among its candidates."""
    if ("vocabulary", "everyday") in parameters:
        return "None of the everyday things that I know."
    return "None of your words." if words else f"None of {known_words[0].lower()}{known_words[1:]}."
