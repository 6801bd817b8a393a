"""What the commands ``index`` and ``duplicates`` do with a folder."""

import argparse
import json
import sys
from contextlib import closing

from tqdm import tqdm

from ..folder import Walk, read
from ..origin import Origin
from ..shrinking import Shrinker
from ..terminal import printable, say, write
from .access import Access
from .asking import Asking, opened
from .duplicates import groups
from .index import Index
from .indexing import PARAMETERS, Indexing

_EXAMPLES = 3


def index(given: argparse.Namespace) -> bool:
    """Bring an index up to date; gives whether each photo has a place in it.

    Raises:
        IndexFileError, ServiceRefuses, ServiceGone: it cannot be done.
        KeyboardInterrupt: Ctrl-C.
    """
    with opened(given.index, new=True) as opened_index:
        return _bring_up_to_date(given, opened_index)


def duplicates(given: argparse.Namespace) -> bool:
    """The same, and print the photos that are there more than once."""
    with opened(given.index, new=True) as opened_index:
        is_complete = _bring_up_to_date(given, opened_index)
        photos = opened_index.photos()
    copies = 0
    for group in groups(*photos):
        copies += len(group) - 1
        if sys.stdout.isatty():
            write("".join(f"{printable(file)}\n" for file in group))
        else:
            write(json.dumps({"files": group}))
    say(f"{copies:,} of {len(photos[0]):,} photos are copies of another one, or nearly.")
    return is_complete


def _bring_up_to_date(given: argparse.Namespace, index: Index) -> bool:
    access = Access.of(given)
    with closing(Asking(access, _say_above_the_bar)) as asking:
        labeler, here = asking.words(PARAMETERS)
        embedder, _ = asking.embeddings()
        # Wherever the service is, the same model gives the same embeddings.
        index.begin(Origin(str(given.folder.resolve()), "", here.model, {}), given.force)
        reader = Shrinker.of(here).read if given.shrink else read
        indexing = Indexing(index, reader, labeler, embedder, asking.concurrency)
        walk = Walk(given.folder)
        with tqdm(disable=not sys.stderr.isatty(), unit=" photos") as bar:
            indexing.folder(given.folder, walk, given.at_most, lambda: bar.update(indexing.added - bar.n))
    say(f"{indexing.added:,} photos were added to {given.index}.")
    for what, files in (("could not be read", indexing.failed), ("were left for the next run", indexing.left)):
        if files:
            some = ", ".join(f"{file} ({reason})" for file, reason in list(files.items())[:_EXAMPLES])
            say(f"{len(files):,} {what}: {some}{', ...' if len(files) > _EXAMPLES else ''}")
    if indexing.is_away:
        say(f"{given.folder} has no photos, so the index keeps those that it has. With --force it drops them.")
    for name, reason in walk.unreadable.items():
        say(f"{name} could not be listed: {reason}")
    return not (indexing.failed or indexing.left or indexing.is_away or walk.unreadable)


def _say_above_the_bar(line: str) -> None:
    tqdm.write(printable(line), file=sys.stderr)
