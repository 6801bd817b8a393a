"""Clip's answers in words: for the page, and for results without JavaScript."""

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

from .article import with_article
from .texts import ENGLISH, Texts

_COMMAS = re.compile("[,\uff0c\u3001\u060c]")  # as clip has them between labels
_MOST_GUESSES = 5
_LEAST = 0.01  # the least share of a guess that is shown
_SURE, _LIKELY = 0.9, 0.7  # the confidences from which an answer is called so

Parameters = Sequence[tuple[str, str]]


class Known(NamedTuple):
    """What the page needs to know of the recognizer's words; nothing while it has not been heard."""

    labels: int = 0
    """How many labels of its own it has."""
    words: Set[str] = frozenset()
    """The everyday words, which are English."""
    languages: Sequence[str] = ()
    """The tags of the languages that labels can be in."""

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> "Known":
        return cls(
            len(description["labels"]),
            frozenset(description.get("everyday", ())),
            tuple(description.get("languages", (ENGLISH,))),
        )

    def in_a_sentence(self, label: str, texts: Texts) -> str:
        """With its article, where that is known: a word of a caller's own may be a name, or of any language."""
        return with_article(label) if texts.code == ENGLISH and label in self.words else label


class Guess(NamedTuple):
    """A word beside the claimed one."""

    label: str
    share: float
    """As the answer has it: its score among the candidates, or the confidence of a tag."""
    percent: str
    """The same in words."""


class Verdict(NamedTuple):
    """What is said of a photo."""

    recognized: bool
    """Whether something is claimed: by clip's answer, or by its ``instead``."""
    eyebrow: str
    """The line above: a question that was asked, or what does not hold."""
    best: str
    """What leads: the claimed word with its article, or the answer to a question."""
    note: str
    """How sure that is, and what else there is to say."""
    short: str
    """All that in a line."""
    label: str
    """The claimed word as clip names it, "" where nothing is claimed."""
    english: str
    """The same in English, where that is known."""
    confidence: float
    """Of the word that ``note`` speaks of, as the answer has it, 0 to 1."""
    also: Sequence[Guess]
    """What else is in the photo."""
    guesses: Sequence[Guess]
    """The candidates, best first, with their shares."""
    near: Sequence[Guess]
    """Those that are shown with the answer: where it is not sure, or where the visitor has named them."""
    footnote: str
    """Whether it is among the recognizer's own labels, where these were asked for, else ""."""
    unknown: Sequence[Mapping[str, Any]]
    """The visitor's words that the recognizer does not know, and for each what is ``near`` it."""

    def to_json(self) -> dict[str, Any]:
        lists = {name: [guess._asdict() for guess in getattr(self, name)] for name in ("also", "guesses", "near")}
        return self._asdict() | lists


def verdict(answer: Mapping[str, Any], parameters: Parameters, known: Known, texts: Texts) -> Verdict:
    """The words for a prediction.

    Args:
        answer: clip's, for one photo.
        parameters: the query parameters that it was asked for with.
        known: what the recognizer knows.
        texts: of the language that is spoken.
    """
    say, percent = texts.say, texts.percent
    own = own_words(parameters)
    unknown = answer.get("unknown", ())
    asked = len(own) - len(unknown)
    recognized, instead = answer["recognized"], answer.get("instead")
    first = answer["predictions"][0]
    claim = first if recognized else instead or {"label": ""}
    claimed, english = claim["label"], _english(claim)
    confidence = instead["confidence"] if instead and not recognized else answer["confidence"]
    word = known.in_a_sentence(claimed, texts)
    eyebrow, headline = "", word or say("nothing")
    note = _how_sure(confidence, texts) if claimed else ""
    short = say("short", word=word, percent=percent(confidence)) if claimed else say("short-nothing")
    if own and asked == 1:
        subject = known.in_a_sentence(first["label"], texts)
        eyebrow = say("question", word=subject)
        headline = _yes(confidence, texts) if recognized else say("no")
        note = say("percent-sure", percent=percent(confidence)) if recognized else _rather(word, confidence, texts)
        short = say("short-question", word=subject, answer=headline)
    elif own and not recognized:
        eyebrow = say("none-of-yours-but") if instead else say("none-of-yours")
        short = say("short-none-but", word=word, percent=percent(confidence)) if instead else say("short-none")
    notes = [note, *(texts.warnings[code] for code in answer.get("warnings", ()) if code in texts.warnings)]
    guesses = _guesses(answer, texts)
    tags = answer.get("tags", ())
    also = [
        Guess(tag["label"], tag["confidence"], percent(tag["confidence"]))
        for tag in tags
        if english not in (_english(tag), *_english_path(tag))
    ]
    # What is said already, and what that implies: a flamingo is not a bird instead.
    said = {english, *(_english(tag) for tag in tags if english not in _english_path(tag))}
    named = said.union(*(_english_path(tag) for tag in tags if _english(tag) == english))
    shown = len(own) > 1 or not claimed or confidence < _SURE
    return Verdict(
        recognized=bool(claimed) and not (own and asked == 1 and not recognized),
        eyebrow=eyebrow,
        best=headline,
        note=" · ".join(part for part in notes if part),
        short=short,
        label=claimed,
        english=english,
        confidence=confidence if claimed else 0.0,
        also=also,
        guesses=guesses,
        near=_near(answer, guesses, named) if shown else [],
        footnote=_footnote(answer, parameters, known, texts),
        unknown=unknown,
    )


def own_words(parameters: Parameters) -> list[str]:
    """The words that a request chooses between; none where it leaves that to the recognizer."""
    return [word for name, value in parameters if name == "labels" for word in _COMMAS.split(value) if word.strip()]


def _english(part: Mapping[str, Any]) -> str:
    """The label of a part of an answer, by which parts are compared: others depend on how it was asked for."""
    return str(part.get("label_en", part["label"]))


def _english_path(tag: Mapping[str, Any]) -> Sequence[str]:
    path: Sequence[str] = tag.get("path_en", tag["path"])
    return path


def _guesses(answer: Mapping[str, Any], texts: Texts) -> list[Guess]:
    best = answer["predictions"][:_MOST_GUESSES]
    return [Guess(one["label"], one["score"], texts.percent(one["score"])) for one in best]


def _near(answer: Mapping[str, Any], guesses: Sequence[Guess], named: Set[str]) -> list[Guess]:
    of_answer = zip(guesses, answer["predictions"], strict=False)
    return [guess for guess, one in of_answer if _english(one) not in named and guess.share >= _LEAST]


def _how_sure(confidence: float, texts: Texts) -> str:
    key = "sure" if confidence >= _SURE else "likely" if confidence >= _LIKELY else "maybe"
    return texts.say(key, percent=texts.percent(confidence))


def _yes(confidence: float, texts: Texts) -> str:
    return texts.say("yes" if confidence >= _SURE else "likely-yes" if confidence >= _LIKELY else "maybe-yes")


def _rather(word: str, confidence: float, texts: Texts) -> str:
    return texts.say("rather", word=word, percent=texts.percent(confidence)) if word else ""


def _footnote(answer: Mapping[str, Any], parameters: Parameters, known: Known, texts: Texts) -> str:
    if (
        own_words(parameters)
        or next((value for name, value in parameters if name == "vocabulary"), "labels") != "labels"
    ):
        return ""
    if not answer["recognized"]:
        return texts.say("not-among", count=known.labels)
    label = known.in_a_sentence(answer["predictions"][0]["label"], texts)
    return texts.say("among", count=known.labels, word=label, percent=texts.percent(answer["confidence"]))
