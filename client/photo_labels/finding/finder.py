"""Finds the photos of an index that a text describes."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..answers import BadAnswer
from ..labeling import Labeler
from ..service import ServiceRefuses
from ..terminal import printable, say, write
from .access import Access
from .asking import Asking, NoAnswer, answer, opened
from .embeddings import embeddings_of, of_text
from .index import Index, IndexFileError, Place
from .search import PIXEL, by_embedding, by_words, parts_of


class Found(NamedTuple):
    """A photo that was found: its path in the index's folder, its whole path, and a score, 1 at most."""

    file: str
    path: str
    score: float


class Search(NamedTuple):
    """What a search has found, best first, and the words that were looked for; None where the model takes any text."""

    photos: list[Found]
    words: list[str] | None


def find(path: Path, text: str, count: int, access: Access, waiting: Callable[[str], None]) -> Search:
    """The photos of an index that a text describes, ``count`` at most.

    Args:
        path: of the index.
        waiting: is told when the service has to be waited for.

    Raises:
        IndexFileError, NoAnswer, ServiceRefuses: the search cannot be made.
        ServiceGone: there is no service.
    """
    with opened(path, new=False) as index, closing(Asking(access, waiting)) as asking:
        origin = index.origin
        if origin is None:
            raise IndexFileError(f"{path} has no photos.")
        embedder, here = asking.embeddings()
        if here.model != origin.model:
            raise ServiceRefuses(
                f"{path} is of the model {origin.model}, and the service has {here.model}. Start that one, "
                "or begin the index anew."
            )
        known = None if here.is_open else _words(asking, text)
        places = _by_embedding(index, embedder, text) if known is None else _by_words(index, known)
        files = ((index.file(place), score) for place, score in places)
        present = ((file, score) for file, score in files if file is not None)
        folder = Path(origin.folder)
        return Search([Found(file, str(folder / file), score) for file, score in islice(present, count)], known)


def command(given: argparse.Namespace) -> bool:
    """What ``photo-labels find`` does; gives whether something was found, and raises what ``find`` does."""
    access = Access.of(given)
    found = find(given.index, given.text, given.count, access, say)
    if found.words is not None:
        say(f"This model finds by its own words: {', '.join(found.words)}.")
    for file, path, score in found.photos:
        if sys.stdout.isatty():
            write(f"{score:.2f}  {printable(file)}")
        else:
            write(json.dumps({"file": file, "path": path, "score": round(score, 6)}))
    if not found.photos:
        say("No photo was found.")
    return bool(found.photos)


def _by_embedding(index: Index, embedder: Labeler, text: str) -> Iterator[tuple[Place, float]]:
    try:
        [embedding] = embeddings_of(answer(embedder, of_text(text)), 1, index.dimensions)
    except BadAnswer as problem:
        raise NoAnswer(str(problem)) from problem
    if embedding is None:
        raise NoAnswer("The answer has no embedding that fits those of the index.")
    return by_embedding(embedding, index.embeddings())


def _words(asking: Asking, text: str) -> list[str]:
    """The words of a text that a model knows, casefolded."""
    if not parts_of(text):
        raise NoAnswer("There is no word in this text.")
    labeler, _ = asking.words((("unknown", "skip"), ("labels", ",".join(parts_of(text)))))
    predictions = answer(labeler, PIXEL)["predictions"]
    # English words come back as they were sent, in capitals too.
    return list(dict.fromkeys(str(one.get("label_en", one["label"])).casefold() for one in predictions))


def _by_words(index: Index, words: list[str]) -> Iterator[tuple[Place, float]]:
    return by_words(index.numbers_of(words), index.words())
