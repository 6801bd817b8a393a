"""What ``--undo`` of ``photo-labels FOLDER`` does."""

import argparse
from collections.abc import Callable
from pathlib import Path

from ..folder import PHOTO_ENDINGS, Walk
from ..keywords.embedding import Embedder
from ..keywords.keeper import undo
from ..keywords.sidecars import ENDING, KeywordsError
from ..sorting.sorter import undo as unsort


def undone(given: argparse.Namespace, embedder: Embedder | None, say: Callable[[str], None]) -> bool:
    """Remove what ``given`` names: what is sorted, keywords, or both. Gives whether everything could be.

    Args:
        say: prints a line on the terminal.

    Raises:
        SortingError: nothing has been sorted, or it cannot be undone.
    """
    if given.sort_into:
        _unsort(given.sort_into, given.folder, say)
        if not (given.xmp or given.embed):
            return True
    return _remove_keywords(given.folder, embedder, say)


def _unsort(target: Path, folder: Path, say: Callable[[str], None]) -> None:
    removed, left = unsort(target, folder)
    for place, reason in left:
        say(f"{place} is left: {reason}.")
    say(f"{removed:,} {'photo was' if removed == 1 else 'photos were'} taken out of {target}.")


def _remove_keywords(folder: Path, embedder: Embedder | None, say: Callable[[str], None]) -> bool:
    walk = Walk(folder, {ENDING} | (PHOTO_ENDINGS if embedder else set()))
    cleared = failed = 0
    for file, outcome in undo(walk, folder, embedder):
        if isinstance(outcome, KeywordsError):
            failed += 1
            say(f"{file}: {outcome}")
        cleared += outcome is True
    for name, reason in walk.unreadable.items():
        say(f"{name} could not be listed: {reason}")
    say(f"The keywords were removed from {cleared:,} {'file' if cleared == 1 else 'files'}.")
    return not (failed or walk.unreadable)
