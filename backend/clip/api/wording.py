"""In whose words a request is understood and answered: recognition itself knows English words only.

``lang``, or else the header Accept-Language, says in which language the labels of an answer are. The labels that a
caller has sent are his own words. They are answered as he wrote them, unless he has named another language by ``lang``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import Headers, LanguageAccept, MultiDict
from werkzeug.http import parse_accept_header

from ..errors import BadParameter
from ..recognition.languages import ENGLISH, Languages, Understood
from ..recognition.query import Query
from ..recognition.recognizer import Recognizer
from ..recognition.vocabulary import Everyday

PARAMETER = "lang"
_ACCEPT = "Accept-Language"
_SHOWN = 40
# Of an answer: the parts that have labels, and what a label and a list of them are called.
_PARTS = {"predictions", "instead", "explanation", "tags", "set"}
_LABEL, _LISTS = "label", {"labels", "everyday", "path"}


@dataclass(frozen=True)
class Wording:
    everyday: Everyday
    language: str = ENGLISH
    """One of ``Languages.codes``."""
    own: Mapping[str, str] = field(default_factory=dict)
    """The caller's words for labels that the model is asked for."""

    def label(self, label: str) -> str:
        """The word for a label: the caller's own, or its name in his language; the label itself where there is none."""
        return self._worded(label)[0]

    def answer(self, said: dict[str, Any]) -> dict[str, Any]:
        """An answer to a photo, as it stands in JSON, in these words, with the English ones beside them."""
        if self.language == ENGLISH and not self.own:
            return said
        return {name: self._parts(part) if name in _PARTS else part for name, part in said.items()}

    def description(self, labels: Sequence[str]) -> dict[str, Any]:
        """Of the description of the service, whose own ``labels`` are these, what depends on the language."""
        said = {"languages": self.everyday.languages.codes}
        if self.language == ENGLISH:
            return said
        groups = self.everyday.groups(labels)
        worded = {self.label(name): [self.label(each) for each in group] for name, group in groups.items()}
        words = self._part({"labels": labels, "everyday": self.everyday.words})
        return said | words | {"groups": worded, "groups_en": groups}

    def headers(self) -> dict[str, str]:
        """What tells caches and people which language an answer is in, and that it depends on who asks."""
        return {"Content-Language": self.language, "Vary": _ACCEPT}

    def _parts(self, part: Any) -> Any:
        return [self._part(each) for each in part] if isinstance(part, list) else self._part(part)

    def _part(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """A part of an answer: each ``label``, and each list of them, with what it is in English after it."""
        worded: dict[str, Any] = {}
        for name, value in part.items():
            worded[name] = value
            if name == _LABEL:
                worded[name], differs = self._worded(value)
            elif name in _LISTS:
                words = [self._worded(each) for each in value]
                worded[name], differs = [word for word, _ in words], any(other for _, other in words)
            else:
                differs = False
            if differs:
                worded[f"{name}_en"] = value
        return worded

    def _worded(self, label: str) -> tuple[str, bool]:
        """The word for a label, and whether that is another than the English one, or in another language."""
        if label in self.own:
            return self.own[label], self.own[label] != label
        if self.language == ENGLISH or (word := self.everyday.find(label)) < 0:
            return label, False
        names = self.everyday.languages.names(self.language)
        return names[self.everyday.words[word]], True


def wording(
    recognizer: Recognizer, query: Query, values: "MultiDict[str, str]", headers: Headers
) -> tuple[Query, Wording]:
    """Understand the labels of a query, and find out in which words it is to be answered.

    Args:
        values: the parameters of the request.
        headers: its headers.

    Returns:
        The query with English labels, in which each thing stands once; and the words for its answer.

    Raises:
        BadParameter: ``lang`` is not known, or a label has several meanings.
    """
    everyday = recognizer.everyday
    named = _named(everyday.languages, values)
    language = named or _accepted(everyday.languages, headers)
    sent = query.labels if query.explained is None else (*query.labels, query.explained)
    # What reads many languages itself is asked in the caller's own words.
    in_english = recognizer.is_multilingual or (named is None and all(everyday.find(label) >= 0 for label in sent))
    if in_english and language == ENGLISH:
        return query, Wording(everyday)
    as_sent = [Understood(label, ENGLISH) for label in sent]
    understood = as_sent if in_english else _understood(recognizer, as_sent, named, language)
    first: dict[str, tuple[str, Understood]] = {}
    for label, each in zip(sent, understood, strict=True):
        first.setdefault(each.label.lower(), (label, each))
    own = {
        each.label: label
        for label, each in first.values()
        if (named is None and language != ENGLISH) or (each.label != label and named in (None, each.language))
    }
    labels = dict.fromkeys(first[each.label.lower()][1].label for each in understood[: len(query.labels)])
    explained = None if query.explained is None else first[understood[-1].label.lower()][1].label
    return replace(query, labels=tuple(labels), explained=explained), Wording(everyday, language, own)


def _understood(
    recognizer: Recognizer, as_sent: Sequence[Understood], named: str | None, language: str
) -> Sequence[Understood]:
    """The labels as the model is asked for them."""
    everyday, is_open = recognizer.everyday, recognizer.manifest.vocabulary == "open"
    labels = [sent.label for sent in as_sent]
    own = {label.casefold() for label in recognizer.manifest.labels}
    found = everyday.languages.understand(labels, named, language, own=own, any_words=is_open)
    # What a model does not know is called as the caller calls it.
    return [
        each if is_open or everyday.find(each.label) >= 0 else sent for each, sent in zip(found, as_sent, strict=True)
    ]


def _named(languages: Languages, values: "MultiDict[str, str]") -> str | None:
    """The language that the caller has named."""
    given = {tag for tag in values.getlist(PARAMETER) if tag.strip()}
    if len(given) > 1:
        raise BadParameter(f"{PARAMETER} can be given only once.")
    for tag in given:
        if (language := languages.match(tag)) is None:
            shown = tag if len(tag) <= _SHOWN else tag[:_SHOWN] + "…"
            raise BadParameter(f"{PARAMETER} must be one of {', '.join(languages.codes)}, not '{shown}'.")
        return language
    return None


def _accepted(languages: Languages, headers: Headers) -> str:
    """The language that the caller likes best of those that are known."""
    for tag, quality in parse_accept_header(headers.get(_ACCEPT), LanguageAccept):
        if quality and (language := languages.match(tag)) is not None:
            return language
    return ENGLISH
