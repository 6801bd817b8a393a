"""Clip's answers in words, for results without JavaScript; the page has them in ``script/verdict.js``."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_NEAREST = 3  # so many labels are named where none is recognized
_LEAST = 0.01  # the least confidence of a guess that is shown


class Verdict(NamedTuple):
    """What is said of a photo."""

    recognized: bool
    """As clip says."""
    eyebrow: str
    """The line above the best label."""
    best: str
    note: str
    """The line below it."""


def verdict(answer: Mapping[str, Any], parameters: Sequence[tuple[str, str]]) -> Verdict:
    """The words for a prediction that was asked for with these query parameters."""
    words = [word for name, value in parameters if name == "labels" for word in value.split(",") if word.strip()]
    confidence, recognized, instead = answer["confidence"], answer["recognized"], answer.get("instead")
    label = answer["predictions"][0]["label"]
    how_sure = f"{sure(instead['confidence'] if instead and not recognized else confidence)} sure"
    if len(words) == 1:
        if recognized:
            return Verdict(recognized, f"Is it “{label}”?", _yes(confidence), how_sure)
        other = f"I would call it {instead['label']}, {how_sure}." if instead else ""
        return Verdict(recognized, f"Is it “{label}”?", "I do not think so", other)
    if recognized:
        return Verdict(recognized, _opinion(confidence), label, how_sure)
    if instead:
        return Verdict(recognized, f"{_none(parameters, words)} I would call it", instead["label"], how_sure)
    near = ", ".join(one["label"] for one in answer["predictions"][:_NEAREST])
    return Verdict(recognized, _none(parameters, words), "I do not recognize this", f"The nearest of them: {near}.")


def other_guesses(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each label after the best one, with its share of the best one's confidence."""
    predictions, confidence = answer["predictions"], answer["confidence"]
    shares = [(one["label"], confidence * one["score"] / predictions[0]["score"]) for one in predictions[1:]]
    return [{"label": label, "share": share} for label, share in shares if share >= _LEAST]


def sure(confidence: float) -> str:
    """A probability, 0 to 1, as a percentage of at most 99: nothing is certain."""
    return f"{min(99, round(confidence * 100))}%"


def known(labels: Sequence[str], otherwise: str) -> str:
    """What the page calls a recognizer's own labels; ``otherwise`` if they are not known yet."""
    count = "hundred" if len(labels) == 100 else f"{len(labels):,}"
    return f"The {count} words I know best" if labels else otherwise


def _opinion(confidence: float) -> str:
    if confidence >= 0.9:
        return "I am sure: this is"
    return "This is likely" if confidence >= 0.7 else "It may be"


def _yes(confidence: float) -> str:
    if confidence >= 0.9:
        return "Yes"
    return "Most likely" if confidence >= 0.7 else "Maybe"


def _none(parameters: Sequence[tuple[str, str]], words: Sequence[str]) -> str:
    """Says that clip recognized nothing among its candidates."""
    if ("vocabulary", "everyday") in parameters:
        return "None of the everyday things that I know."
    return "None of your words." if words else "None of the words I know best."
