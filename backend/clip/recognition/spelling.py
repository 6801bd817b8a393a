"""Words by how they are spelled: in upper or lower case, in the singular or the plural, and nearly right.

Needs nothing but Python: the bundled model gets other labels before anything is installed for it.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property

from .plurals import plurals

# A name is near if ``difflib`` gives the two at least this ratio.
_CUTOFF = 0.75
_NEAR = 3
# Of a long name its beginning is compared: the time grows with its length.
_COMPARED = 40
_BITS = 64


class Names:
    """The names of some words."""

    def __init__(self, words: Iterable[Sequence[str]]) -> None:
        """``words``: the names of each word, first the one that it is called by."""
        self._words = [tuple(names) for names in words]

    def find(self, name: str) -> int:
        """The position of the word with this name, in upper or lower case, singular or plural; -1 for none."""
        return self._positions.get(name.casefold(), -1)

    def near(self, name: str) -> list[str]:
        """Up to three words that are spelled much like ``name``, best first."""
        wanted = name[:_COMPARED].casefold()
        letters = _letters(wanted)
        alike = [known for known, others in self._spelled if _may_be_near(wanted, letters, known, others)]
        found = get_close_matches(wanted, alike, n=_NEAR, cutoff=_CUTOFF)
        return list(dict.fromkeys(self._words[self._positions[known]][0] for known in found))

    @cached_property
    def _positions(self) -> dict[str, int]:
        positions: dict[str, int] = {}
        # Names in the list go before plurals by rule: "glasses" is a word of its own, not the plural of "glass".
        for form in (lambda name: (name,), plurals):
            for position, names in enumerate(self._words):
                for name in names:
                    for spelled in form(name.casefold()):
                        positions.setdefault(spelled, position)
        return positions

    @cached_property
    def _spelled(self) -> list[tuple[str, int]]:
        return [(known, _letters(known)) for known in self._positions]


def _letters(name: str) -> int:
    """A bit for each letter in the name; different ones may share a bit."""
    bits = 0
    for letter in name:
        bits |= 1 << ord(letter) % _BITS
    return bits


def _may_be_near(one: str, letters: int, other: str, others: int) -> bool:
    """Whether the letters of both allow it: if not, ``difflib`` is spared the work, which takes many times as long.

    Its ratio is twice the number of letters that match, over the number of all letters.
    """
    most = min(len(one) - (letters & ~others).bit_count(), len(other) - (others & ~letters).bit_count())
    return 2 * most >= _CUTOFF * (len(one) + len(other))
