"""Searches an index: by the embedding of a text, or by words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# Words of a vocabulary have no more.
_LONGEST = 4
_MOST_CANDIDATES = 200
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe"
    "0def46b80000000049454e44ae426082"
)
"""A photo of one white pixel, as PNG: with it the service can be asked which words it knows."""


def best(
    embedding: NDArray[np.float32], blocks: Iterable[tuple[list[int], NDArray[np.float32]]], count: int
) -> list[tuple[int, float]]:
    """The numbers of the photos that are most alike, best first, with their cosines.

    Args:
        embedding: of unit length.
        blocks: numbers of photos, and their embeddings of unit length, [photos, dimensions].
    """
    numbers: list[int] = []
    scores: list[NDArray[np.float32]] = []
    for of_block, rows in blocks:
        numbers += of_block
        scores.append(rows @ embedding)
    if not numbers:
        return []
    every = np.concatenate(scores)
    top = np.argsort(-every, kind="stable")[:count]
    return [(numbers[row], float(every[row])) for row in top]


def parts_of(text: str) -> list[str]:
    """What of a text may be a word of a vocabulary: its words, and up to four in a row."""
    words = [word for word in (each.strip(".,;:!?\"'()") for each in text.split()) if word]
    parts = (" ".join(words[start : start + n]) for n in range(_LONGEST, 0, -1) for start in range(len(words) - n + 1))
    return list(dict.fromkeys(part for part in parts if "," not in part))[:_MOST_CANDIDATES]


def with_words(
    photos: Sequence[tuple[str, Mapping[str, float]]], wanted: Sequence[str], count: int
) -> list[tuple[str, float]]:
    """The photos that have some of these words, best first, by the mean of the confidences; a missing word counts 0.

    Args:
        wanted: casefolded.
    """
    found = sorted(_scored(photos, wanted), key=lambda each: (-each[1], each[0]))
    return found[:count]


def _scored(photos: Sequence[tuple[str, Mapping[str, float]]], wanted: Sequence[str]) -> Iterator[tuple[str, float]]:
    for file, words in photos:
        folded = {word.casefold(): confidence for word, confidence in words.items()}
        score = sum(folded.get(word, 0.0) for word in wanted) / len(wanted)
        if score > 0:
            yield file, score
