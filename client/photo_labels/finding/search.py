"""Searches an index: by the embedding of a text, or by words."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .index import Place

# Words of a vocabulary have no more.
_LONGEST = 4
_MOST_CANDIDATES = 200
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe"
    "0def46b80000000049454e44ae426082"
)
"""A photo of one white pixel, as PNG: with it the service can be asked which words it knows."""


def by_embedding(
    embedding: NDArray[np.float32], blocks: Iterable[tuple[int, NDArray[np.float32]]]
) -> Iterator[tuple[Place, float]]:
    """Every photo with its cosine, best first; of those that are equally good, first who was written first.

    Args:
        embedding: of unit length.
        blocks: their numbers, each with its embeddings of unit length, [rows, dimensions].
    """
    numbers: list[int] = []
    scores: list[NDArray[np.float32]] = []
    for number, rows in blocks:
        numbers.append(number)
        scores.append(rows @ embedding)
    yield from _best_first(numbers, [len(each) for each in scores], np.concatenate(scores) if scores else np.empty(0))


def by_words(
    wanted: Sequence[Sequence[int]], blocks: Iterable[tuple[int, int, NDArray[np.void]]]
) -> Iterator[tuple[Place, float]]:
    """The photos that have some of these words, best first, by the mean of the confidences; a missing word counts 0.

    Args:
        wanted: the numbers of each word, one at least; any of them stands for it.
        blocks: as ``Index.words`` has them.
    """
    numbers: list[int] = []
    sizes: list[int] = []
    said: list[NDArray[np.void]] = []
    for number, size, words in blocks:
        numbers.append(number)
        sizes.append(size)
        said.append(words)
    if not said:
        return
    every = np.concatenate(said)
    rows = every["row"] + np.repeat(_starts(sizes), [len(words) for words in said])
    scores = np.zeros(sum(sizes))
    for of_word in wanted:
        here = np.isin(every["word"], of_word)
        best = np.zeros(len(scores))
        np.maximum.at(best, rows[here], every["confidence"][here])
        scores += best / len(wanted)
    for place, score in _best_first(numbers, sizes, scores):
        if score == 0:
            return
        yield place, score


def _starts(sizes: Sequence[int]) -> NDArray[np.int64]:
    """How many rows lie before each block."""
    return np.cumsum([0, *sizes[:-1]])


def _best_first(
    numbers: Sequence[int], sizes: Sequence[int], scores: NDArray[np.floating]
) -> Iterator[tuple[Place, float]]:
    starts = _starts(sizes)
    for position in np.argsort(-scores, kind="stable"):
        block = int(np.searchsorted(starts, position, "right")) - 1
        yield (numbers[block], int(position - starts[block])), float(scores[position])


def parts_of(text: str) -> list[str]:
    """What of a text may be a word of a vocabulary: its words, and up to four in a row."""
    words = [word for word in (each.strip(".,;:!?\"'()") for each in text.split()) if word]
    parts = (" ".join(words[start : start + n]) for n in range(_LONGEST, 0, -1) for start in range(len(words) - n + 1))
    return list(dict.fromkeys(part for part in parts if "," not in part))[:_MOST_CANDIDATES]
