"""The everyday words in other languages, from an exported model folder: their names, and what a name stands for.

Only the tags of the languages are read before a request needs more. ``export/languages.py`` says what the files hold.
"""

import sys
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from ..errors import BadParameter
from .folding import fold, queries

TABLE = "languages.tsv"
NAMES = "names.tsv"
ENGLISH = "en"
STRICT, LOOSE = ":", "~"
"""In ``names.tsv``, between a language and a row: whether the key is a name, or a looser form of one."""
GUARDED = -1
"""In place of a row: an English word that is none of the everyday words."""

_TRADITIONAL = {"hant", "tw", "hk", "mo"}
# So many names that callers sent are remembered with what they mean.
_REMEMBERED = 4096
# No name has more characters, accents counted apart. What is longer is not looked at: to put the accents of a letter in
# order takes Unicode's algorithm a time that grows with the square of their number.
_LONGEST = 64

Meanings = Mapping[str, int]
"""The row of the word that a name stands for, by language."""


class Understood(NamedTuple):
    """A label as the model is asked for it."""

    label: str
    """An English word; or what the caller has sent, if that is not a name of an everyday word in another language."""
    language: str
    """The language that the label is in, as far as that is known; else English."""


class Languages:
    """Its methods may be called from any number of threads."""

    def __init__(self, folder: Path) -> None:
        """``folder``: an exported model folder; one without the two files knows English alone."""
        self._folder = folder
        try:
            with (folder / TABLE).open(encoding="utf-8") as table:
                self.codes = tuple(table.readline().rstrip("\n").split("\t"))
        except FileNotFoundError:
            self.codes = (ENGLISH,)
        self.names = lru_cache(len(self.codes))(self._read_names)
        """The names of the everyday words in a language of ``codes``, by the English word."""
        self._meanings = lru_cache(_REMEMBERED)(self._find_meanings)

    def match(self, tag: str) -> str | None:
        """The one of ``codes`` that a BCP 47 tag means, or None: ``pt`` for ``pt-BR``, ``zh-Hant`` for ``zh-TW``."""
        language, *others = tag.strip().lower().replace("_", "-").split("-")
        if language == "zh":
            language = "zh-Hant" if _TRADITIONAL & set(others) and "hans" not in others else "zh-Hans"
        return language if language in self.codes else None

    def understand(
        self, labels: Sequence[str], language: str | None, preferred: str, *, own: Collection[str], any_words: bool
    ) -> list[Understood]:
        """Find the English words for labels in any language.

        The language that the caller has named goes first, then English, then the preferred one. What then has several
        meanings is taken in a language that all labels which are not English have in common.

        Args:
            language: one of ``codes`` that the caller has named, or None.
            preferred: one of ``codes``.
            own: the model's own labels in any language, casefolded, which stay as they are.
            any_words: whether the model takes any English words, not only the everyday ones.

        Raises:
            BadParameter: a label has several meanings.
        """
        found = [self._alone(label, language, own=own, any_words=any_words) for label in labels]
        foreign = [set(each) for each in found if not isinstance(each, Understood) and ENGLISH not in each]
        common = set.intersection(*foreign) if foreign else set()
        return [
            each if isinstance(each, Understood) else self._together(label, each, preferred, common)
            for label, each in zip(labels, found, strict=True)
        ]

    def like(self, name: str) -> dict[str, tuple[str, str]]:
        """The names of everyday words, not the English ones, that begin as ``name`` does and are about as long.

        Returns:
            By the name as ``fold`` has it, the word's name in that language and in English.
        """
        name = fold(name)
        first, lines = name[:1].encode(), self._lines
        names = {}
        for line in lines[bisect_left(lines, first) : bisect_left(lines, first + b"\xff")] if first else ():
            key, _, entries = line.decode().partition("\t")
            if abs(len(key) - len(name)) <= 1 + len(name) // 4:
                for language, row, kind in _read(entries):
                    if language != ENGLISH and kind == STRICT:
                        english = self._english[row]
                        shown = self.names(language)[english]
                        if fold(shown)[:1] == name[:1]:  # not what is also called so
                            names[key] = shown, english
        return names

    def _alone(
        self, label: str, language: str | None, *, own: Collection[str], any_words: bool
    ) -> Understood | Meanings:
        """What a label means whatever the others are; or its meanings, if that depends on them.

        English among these stands for a word that is none of the everyday words.
        """
        if label.casefold() in own:
            return Understood(label, ENGLISH)
        strict, loose = self._meanings(label)
        if language == ENGLISH and ENGLISH in strict:
            return Understood(label, ENGLISH)
        for meanings in (strict, loose):
            if language is not None and language in meanings:
                return Understood(self._english[meanings[language]], language)
        english = strict.get(ENGLISH)
        if english == GUARDED and not any_words:
            strict = {language: row for language, row in strict.items() if language != ENGLISH}
        elif english is not None and english != GUARDED:
            return Understood(label if label.casefold() == fold(label) else fold(label), ENGLISH)
        return strict or loose or Understood(label, ENGLISH)

    def _together(self, label: str, meanings: Meanings, preferred: str, common: Collection[str]) -> Understood:
        others = {language: row for language, row in meanings.items() if language != ENGLISH}
        shared = {language: others[language] for language in common if language in others}
        liked = {preferred: others[preferred]} if preferred in others else {}
        for rows in (shared,) if ENGLISH in meanings else (others, liked, shared):
            if len(set(rows.values())) == 1:
                language = preferred if preferred in rows else min(rows)
                return Understood(self._english[rows[language]], language)
        if ENGLISH in meanings:
            return Understood(label, ENGLISH)
        raise BadParameter(self._several(label, others))

    def _several(self, label: str, meanings: Meanings) -> str:
        by_row: dict[int, list[str]] = {}
        for language, row in sorted(meanings.items()):
            by_row.setdefault(row, []).append(language)
        said = " and ".join(f"{self._english[row]} in {', '.join(of)}" for row, of in by_row.items())
        choice = " or ".join(f"lang={of[0]}" for of in by_row.values())
        return f"'{label[:40]}' has several meanings, {said}: say which by {choice}."

    def _find_meanings(self, name: str) -> tuple[Meanings, Meanings]:
        """What a name stands for, and what it may stand for as a looser form."""
        strict: dict[str, int] = {}
        loose: dict[str, int] = {}
        for key, of, exact in queries(name) if len(name) <= _LONGEST else ():
            for language, row, kind in self._entries(key):
                if of in (None, language):
                    (strict if exact and kind == STRICT else loose).setdefault(language, row)
        return strict, loose

    def _entries(self, key: str) -> Iterator[tuple[str, int, str]]:
        start = f"{key}\t".encode()
        place = bisect_left(self._lines, start)
        if place < len(self._lines) and self._lines[place].startswith(start):
            yield from _read(self._lines[place][len(start) :].decode())

    @cached_property
    def _lines(self) -> list[bytes]:
        """Those of ``names.tsv``, in their order; none where it is not there."""
        return [] if self.codes == (ENGLISH,) else (self._folder / NAMES).read_bytes().splitlines()

    @cached_property
    def _english(self) -> tuple[str, ...]:
        """The English words, by row."""
        return tuple(self.names(ENGLISH))

    def _read_names(self, language: str) -> dict[str, str]:
        if self.codes == (ENGLISH,):
            return {}
        column = self.codes.index(language)
        with (self._folder / TABLE).open(encoding="utf-8") as table:
            next(table)
            rows = (row.rstrip("\n").split("\t") for row in table)
            return {sys.intern(cells[0]): cells[column] for cells in rows}  # English words are kept once


def _read(entries: str) -> Iterator[tuple[str, int, str]]:
    """The language, the row and the kind of each entry of a line."""
    for entry in entries.split(" "):
        kind = LOOSE if LOOSE in entry else STRICT
        language, _, row = entry.partition(kind)
        yield language, int(row), kind
