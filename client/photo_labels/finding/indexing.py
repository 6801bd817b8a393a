"""Brings an index up to date with its folder."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from ..answers import BadAnswer
from ..concurrency import Concurrency, Stopped
from ..folder import Reader, Walk
from ..keywords.words import words_of
from ..labeling import Labeler, Left
from ..previews import BadPreview, jpeg_of
from ..results import Result
from ..states import state_at
from .embeddings import MOST_IMAGES, embeddings_of, of_images
from .index import Entry, Index
from .thumbnails import thumbnail

PARAMETERS = (("tags", "1"), ("preview", "1"), ("top_k", "1"))
"""Of the requests for a photo's words."""


class Indexing:
    """One pass over a folder: the photos that the index lacks, or that have changed, are asked.

    A photo is sent once, for its words and its preview. The thumbnail is made of the preview, and the embedding too: it
    is larger than what any model looks at, and all formats have one.

    Attributes:
        added: how many photos have been written to the index.
        failed: those that the service could not read, with the code of the error.
        left: those that have no row, with the reason.
        is_away: whether the folder has no photo while the index has some, as where a disk is not mounted. These stay.
    """

    def __init__(
        self, index: Index, reader: Reader, labeler: Labeler, embedder: Labeler, concurrency: Concurrency
    ) -> None:
        self._index = index
        self._reader = reader
        self._labeler = labeler
        self._embedder = embedder
        self._concurrency = concurrency
        self.added = 0
        self.failed: dict[str, str] = {}
        self.left: dict[str, str] = {}
        self.is_away = False

    def folder(self, folder: Path, walk: Walk, threads: int, written: Callable[[], None]) -> None:
        """Index all photos that the walk finds, and forget those that are gone.

        Args:
            written: is called whenever photos have been written.

        Raises:
            KeyboardInterrupt: Ctrl-C.
            ServiceGone, ServiceRefuses: it cannot continue.
        """
        known = self._index.states()
        self.is_away = bool(known)
        with ThreadPoolExecutor(threads) as pool:
            try:
                asked = self._asked(folder, walk, known)
                while files := list(islice(asked, MOST_IMAGES)):
                    self._write(list(pool.map(lambda file: self._result(folder, file), files)))
                    written()
            except BaseException:
                self._concurrency.stop()
                raise
        if not self.is_away:
            self._index.remove(file for file in known if _is_gone(folder / file))

    def _asked(self, folder: Path, walk: Walk, known: Mapping[str, object]) -> Iterator[str]:
        for file in walk:
            self.is_away = False
            if file not in known or known[file] != state_at(folder / file):
                yield file

    def _result(self, folder: Path, file: str) -> Result | None:
        try:
            return self._labeler.result(folder, file, self._reader)
        except Left as left:
            self.left[file] = str(left)
        except Stopped:
            pass
        return None

    def _write(self, results: list[Result | None]) -> None:
        entries: list[Entry] = []
        seen: list[tuple[Result, bytes, Any]] = []
        for result in results:
            if result is None:
                continue
            if result.error is not None:
                self.failed[result.file] = result.error
                entries.append(Entry(result.file, result.state))
                continue
            try:
                jpeg = jpeg_of(result.answer.get("preview"))
                seen.append((result, jpeg, thumbnail(jpeg)))
            except BadPreview as problem:
                self.left[result.file] = str(problem)
        if seen:
            try:
                answer = self._embedder.answer(of_images([jpeg for _, jpeg, _ in seen]))
                if "error" in answer:
                    raise Left(str(answer["error"]["code"]))
                rows = embeddings_of(answer, len(seen), self._index.dimensions)
            except (Left, BadAnswer) as problem:
                self.left |= {result.file: str(problem) for result, _, _ in seen}
            else:
                for (result, _, small), row in zip(seen, rows, strict=True):
                    if row is None:
                        self.left[result.file] = "The answer has no embedding of it."
                    else:
                        entries.append(Entry(result.file, result.state, row, small, confidences(result.answer)))
        self._index.put(entries)
        self.added += len(entries)


def _is_gone(path: Path) -> bool:
    """Whether there is no such file; False where a disk or a server cannot say."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def confidences(answer: Mapping[str, Any]) -> dict[str, float]:
    """The words that a photo is recognized by, with the confidence of each; what a word implies is at least as sure."""
    found = dict.fromkeys(words_of(answer).flat, 0.0)
    sure = [(tag["confidence"], (*tag["path"], tag["label"])) for tag in answer.get("tags", ())]
    if answer.get("recognized"):
        sure.append((answer.get("confidence", 0.0), (answer["predictions"][0]["label"],)))
    elif instead := answer.get("instead"):
        sure.append((instead.get("confidence", 0.0), (instead["label"],)))
    for confidence, words in sure:
        for word in words:
            if word in found:
                found[word] = max(found[word], confidence)
    return found
