"""What the everyday words are called in other languages: a text file each in ``words/``, by its BCP 47 tag.

A line is ``ENGLISH = NAME | PLURAL / OTHER, OTHER``, for each word of ``everyday.txt`` in its order. The plural stands
only where it differs, and the other names are what people also call the thing. Within a language a name stands for one
word alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).with_name("words")
_LINE = re.compile(
    r"(?P<word>[^=|/]+) = (?P<name>[^=|/,]+?)(?: \| (?P<plural>[^=|/,]+?))?(?: / (?P<also>[^=|/]+(?:, [^=|/,]+)*))?"
)

LANGUAGES = tuple(sorted(path.stem for path in _FOLDER.glob("*.txt")))


@dataclass(frozen=True)
class Names:
    """Of one word, in one language."""

    name: str
    plural: str | None
    also: tuple[str, ...]

    def all(self) -> tuple[str, ...]:
        return (self.name, *((self.plural,) if self.plural else ()), *self.also)


def read_names(language: str, words: Sequence[str], folder: Path = _FOLDER) -> tuple[Names, ...]:
    """The names of the ``words`` in a language, in their order.

    Raises:
        FileNotFoundError: there is no such language.
        ValueError: a line cannot be read, the words are not these in their order, or a name stands for two words.
    """
    path = folder / f"{language}.txt"
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = [_LINE.fullmatch(line) for line in lines]
    if None in found or not unicodedata.is_normalized("NFC", text):
        line = next(
            (line for line, match in zip(lines, found, strict=True) if match is None), "its letters are not NFC"
        )
        raise ValueError(f"{path.name}: cannot be read: {line}")
    matches = [match for match in found if match]
    for match, word in zip(matches, words, strict=False):
        if match["word"] != word:
            raise ValueError(f"{path.name}: {match['word']} stands where {word} is expected")
    if len(matches) != len(words):
        raise ValueError(f"{path.name}: {len(matches)} words, not {len(words)}")
    names = tuple(
        Names(match["name"], match["plural"], tuple(match["also"].split(", ")) if match["also"] else ())
        for match in matches
    )
    homes: dict[str, str] = {}
    for word, of_word in zip(words, names, strict=True):
        for name in of_word.all():
            if homes.setdefault(name.casefold(), word) != word:
                raise ValueError(f"{path.name}: {name} stands for {homes[name.casefold()]} and {word}")
    return names
