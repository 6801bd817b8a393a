"""What the commands ``index``, ``find`` and ``duplicates`` do."""

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..answers import BadAnswer
from ..concurrency import Concurrency
from ..folder import Walk
from ..labeling import Labeler, Left, ServiceGone
from ..origin import Origin
from ..service import HOW_TO_START, USUAL_ADDRESS, Parameters, Service, ServiceRefuses
from ..terminal import printable
from .duplicates import groups
from .embeddings import EmbeddingService, embeddings_of, of_text
from .index import Index, IndexFileError
from .indexing import PARAMETERS, Indexing
from .search import PIXEL, best, parts_of, with_words

__all__ = ["COMMANDS", "WRONG", "ServiceGone", "say"]

_EXAMPLES = 3


class _NotFound(Exception):
    """The search cannot be made. The message says why."""


WRONG = (IndexFileError, ServiceRefuses, _NotFound)
"""What is raised where a command cannot be carried out as it was given."""


def say(line: str) -> None:
    """Write a line for people."""
    tqdm.write(printable(line), file=sys.stderr)


def _index(given: argparse.Namespace) -> bool:
    with _open(given.index, new=True) as index:
        return _bring_up_to_date(given, index)


def _duplicates(given: argparse.Namespace) -> bool:
    with _open(given.index, new=True) as index:
        is_complete = _bring_up_to_date(given, index)
        files, thumbnails = index.thumbnails()
        blocks = [rows for _, rows in index.embeddings()]
    found = groups(files, np.concatenate(blocks), thumbnails) if blocks else []
    for group in found:
        if sys.stdout.isatty():
            print("".join(f"{printable(file)}\n" for file in group))
        else:
            print(json.dumps({"files": group}))
    copies = sum(len(group) - 1 for group in found)
    say(f"{copies:,} of {len(files):,} photos are copies of another one, or nearly.")
    return is_complete


def _find(given: argparse.Namespace) -> bool:
    with _open(given.index, new=False) as index:
        origin = index.origin
        if origin is None:
            raise IndexFileError(f"{given.index} has no photos.")
        asking = _Asking(given, (("unknown", "skip"), ("labels", ",".join(parts_of(given.text)))))
        with asking.services():
            here = asking.labeler.find_service(asking.how_to_start)
            if here.model != origin.model:
                raise ServiceRefuses(
                    f"{given.index} is of the model {origin.model}, and the service has {here.model}. Start that one, "
                    "or begin the index anew."
                )
            found = _by_embedding(given, index, asking) if here.is_open else _by_words(given, index, asking)
    folder = Path(origin.folder)
    for file, score in found:
        if sys.stdout.isatty():
            print(f"{score:.2f}  {printable(file)}")
        else:
            print(json.dumps({"file": file, "path": os.fspath(folder / file), "score": round(score, 6)}))
    if not found:
        say("No photo was found.")
    return bool(found)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], bool]] = {
    "index": _index,
    "find": _find,
    "duplicates": _duplicates,
}
"""What each command does; it gives whether that is complete, and raises KeyboardInterrupt, ServiceGone or ``WRONG``."""


class _Asking:
    """The service, for words and for embeddings.

    Args:
        parameters: of the requests for words.
    """

    def __init__(self, given: argparse.Namespace, parameters: Parameters) -> None:
        url = given.url or USUAL_ADDRESS
        self._services = (
            Service(url, parameters, given.key, given.timeout, given.at_most),
            EmbeddingService(url, given.key, given.timeout, given.at_most),
        )
        self.how_to_start = None if given.url else HOW_TO_START
        self.concurrency = Concurrency(given.at_most)
        self.labeler, self.embedder = (
            Labeler(service, self.concurrency, given.wait, say) for service in self._services
        )

    @contextmanager
    def services(self) -> Iterator[None]:
        """Close the connections at the end."""
        try:
            yield
        finally:
            for service in self._services:
                service.close()


@contextmanager
def _open(path: Path, new: bool) -> Iterator[Index]:
    try:
        with closing(Index(path, new)) as index:
            yield index
    except sqlite3.Error as error:
        raise IndexFileError(f"{path} cannot be read or written to: {error}.") from error


def _bring_up_to_date(given: argparse.Namespace, index: Index) -> bool:
    asking = _Asking(given, PARAMETERS)
    with asking.services():
        model = asking.labeler.find_service(asking.how_to_start).model
        asking.embedder.find_service()
        # Wherever the service is, the same model gives the same embeddings.
        index.begin(Origin(str(given.folder.resolve()), "", model, {}), given.force)
        indexing = Indexing(index, asking.labeler, asking.embedder, asking.concurrency)
        walk = Walk(given.folder)
        with tqdm(disable=not sys.stderr.isatty(), unit=" photos") as bar:
            indexing.folder(given.folder, walk, given.at_most, lambda: bar.update(indexing.added - bar.n))
    say(f"{indexing.added:,} photos were added to {given.index}.")
    for what, files in (("could not be read", indexing.failed), ("were left for the next run", indexing.left)):
        if files:
            some = ", ".join(f"{file} ({reason})" for file, reason in list(files.items())[:_EXAMPLES])
            say(f"{len(files):,} {what}: {some}{', ...' if len(files) > _EXAMPLES else ''}")
    for name, reason in walk.unreadable.items():
        say(f"{name} could not be listed: {reason}")
    return not (indexing.failed or indexing.left or walk.unreadable)


def _by_embedding(given: argparse.Namespace, index: Index, asking: _Asking) -> list[tuple[str, float]]:
    asking.embedder.find_service()
    try:
        [embedding] = embeddings_of(_answer(asking.embedder, of_text(given.text)), 1)
    except BadAnswer as problem:
        raise _NotFound(str(problem)) from problem
    return [(index.file(number), score) for number, score in best(embedding, index.embeddings(), given.count)]


def _by_words(given: argparse.Namespace, index: Index, asking: _Asking) -> list[tuple[str, float]]:
    if not parts_of(given.text):
        raise _NotFound("There is no word in this text.")
    predictions = _answer(asking.labeler, PIXEL)["predictions"]
    # English words come back as they were sent, in capitals too.
    known = list(dict.fromkeys(str(one.get("label_en", one["label"])).casefold() for one in predictions))
    say(f"This model finds by its own words: {', '.join(known)}.")
    return with_words(index.words(), known, given.count)


def _answer(labeler: Labeler, body: bytes) -> Mapping[str, Any]:
    try:
        answer = labeler.answer(body)
    except Left as left:
        raise _NotFound(f"The service has no answer: {left}.") from left
    if "error" in answer:
        raise _NotFound(str(answer["error"]["message"]))
    return answer
