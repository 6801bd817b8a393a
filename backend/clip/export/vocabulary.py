"""The everyday words in the form that an exported model folder has them.

``everyday.json`` holds ``{"words": […]}``, for each word ``word``, ``also`` (other names), ``height`` (levels of more
specific words below it), ``above`` (positions of the words that it is directly a kind of, that of the outline first),
``group`` (the most general word above it), ``related`` (positions of the words that do not compete with it) and, for a
model with fine classes, ``classes`` (those that are the word) and ``compatible`` (those that do not compete with it).
``everyday.npy`` holds their embeddings, float32 [words, dim], for a model without.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..recognition.vocabulary import EMBEDDINGS, FILE
from .words import read_words


@dataclass(frozen=True)
class Vocabulary:
    words: tuple[str, ...]
    entries: list[dict[str, Any]]

    def write(self, folder: Path, embeddings: NDArray[np.float32] | None = None) -> None:
        (folder / FILE).write_text(json.dumps({"words": self.entries}, ensure_ascii=False) + "\n", encoding="utf-8")
        if embeddings is not None:
            np.save(folder / EMBEDDINGS, embeddings)


def vocabulary(classes: int | None = None) -> Vocabulary:
    """The everyday words that a model knows.

    Args:
        classes: how many fine classes the model has, words without one are left out; None for a model that compares
            embeddings, which knows every word.
    """
    words = read_words()
    fine = [[tuple(k for k in of(i) if k < (classes or 0)) for of in (words.classes, words.compatible)]
            for i in range(len(words.names))]  # fmt: skip
    kept = [i for i in range(len(words.names)) if classes is None or fine[i][0]]
    related = words.related[np.ix_(kept, kept)]
    position = {i: row for row, i in enumerate(kept)}
    entries: list[dict[str, Any]] = [
        {
            "word": words.names[i],
            "also": words.also[i],
            "height": int(words.height[i]),
            "above": [position[j] for j in words.above[i]],
            "group": words.names[words.top(i)],
            "related": np.flatnonzero(related[row]).tolist(),
            **({} if classes is None else {"classes": fine[i][0], "compatible": fine[i][1]}),
        }
        for row, i in enumerate(kept)
    ]
    return Vocabulary(tuple(entry["word"] for entry in entries), entries)
