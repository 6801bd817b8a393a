"""An answer of clip's in words, for results without JavaScript; `page/script/verdict.js` has the same for the page."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_NEAREST = 3  # labels that are named where none is recognized
_LEAST = 0.01  # of the confidence in a guess that is worth a row


class Verdict(NamedTuple):
    """What to say: how sure it sounds, what it is, and what more there is to know. `recognized` is clip's."""

    recognized: bool
    eyebrow: str
    best: str
    note: str


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
    """A row for each label after the best, in proportion to its confidence."""
    predictions, confidence = answer["predictions"], answer["confidence"]
    shares = [(one["label"], confidence * one["score"] / predictions[0]["score"]) for one in predictions[1:]]
    return [{"label": label, "share": share} for label, share in shares if share >= _LEAST]


def sure(confidence: float) -> str:
    """A probability, 0 to 1, for people: nothing is ever quite sure."""
    return f"{min(99, round(confidence * 100))}%"


def known(labels: Sequence[str], otherwise: str) -> str:
    """What a recognizer's own labels are called; `otherwise` where it has not been heard."""
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
    """That nothing was recognized among what clip had to choose from."""
    if ("vocabulary", "everyday") in parameters:
        return "None of the everyday things that I know."
    return "None of your words." if words else "None of the words I know best."
