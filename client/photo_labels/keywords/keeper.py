"""Writes keywords for a result wherever a run is to write them, and removes them again from a whole folder."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..folder import PHOTO_ENDINGS, Walk
from ..results import Result
from ..states import state_at
from . import sidecars
from .embedding import Embedder
from .sidecars import ENDING, KeywordsError
from .words import Words, words_of


class Keeper:
    """Keeps the words for photos beside them, in them, or both. Any thread may use it.

    Args:
        style: of the sidecars' names, see ``sidecar_of``; None for no sidecars.
        embedder: None for nothing in the photos.
    """

    def __init__(self, style: str | None, embedder: Embedder | None) -> None:
        self._style = style
        self._embedder = embedder

    def keep(self, folder: Path, result: Result) -> Result:
        """Write the words of a result; gives the result with the state that the file has afterwards.

        Raises:
            KeywordsError: they cannot be written.
        """
        if result.error is not None:
            return result
        photo, words = folder / result.file, words_of(result.answer)
        if self._style is not None:
            sidecars.write(sidecars.sidecar_of(photo, self._style), words)
        if photo.suffix.lower() not in PHOTO_ENDINGS:  # into a video nothing is written
            return result
        if self._embedder is not None and self._embedder.write(photo, words, result.state):
            return replace(result, state=state_at(photo) or result.state)
        return result

    def close(self) -> None:
        if self._embedder is not None:
            self._embedder.close()


def undo(walk: Walk, folder: Path, embedder: Embedder | None) -> Iterator[tuple[str, bool | KeywordsError]]:
    """Remove what ``Keeper`` has written.

    Args:
        walk: finds the sidecars in the folder, and the photos where there is an embedder.

    Yields:
        Each file that was looked into, and whether it had something to remove, or why that failed.
    """
    for file in walk:
        path = folder / file
        try:
            if path.suffix.lower() == ENDING:
                yield file, sidecars.write(path, Words())
            elif embedder is not None:
                yield file, embedder.write(path, Words())
        except KeywordsError as error:
            yield file, error
