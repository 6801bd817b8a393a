"""photo-labels index, find and duplicates: the index of a folder, and what can be asked of it. See docs/client.md."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .label import COMPLETE, GONE, INCOMPLETE, SIGNAL, WRONG
from .options import add_service_options, api_key, folder, number

_EXIT_CODES = f"""exit codes:
  {COMPLETE}    it is complete
  {INCOMPLETE}    it is complete, but some photos have no place in the index, or nothing was found
  {WRONG}    wrong options, or an index that is of something else or cannot be used
  {GONE}    there is no service, or it was away for longer than --wait
  {SIGNAL + signal.SIGINT}  Ctrl-C; the same command continues"""
_NEEDED = "This needs NumPy and Pillow: pipx install 'photo-labels[find]'."
_INDEX = "photo-labels.sqlite"


def index(arguments: Sequence[str]) -> int:
    """Bring an index up to date and return the exit code."""
    return _run(_folders("index", "Writes the index of a folder, or brings it up to date."), arguments)


def duplicates(arguments: Sequence[str]) -> int:
    """Bring an index up to date, print the photos that are there twice, and return the exit code."""
    parser = _folders("duplicates", "Lists photos that are there twice: resized, recompressed, or slightly cropped.")
    return _run(parser, arguments)


def find(arguments: Sequence[str]) -> int:
    """Print the photos of an index that a text describes, and return the exit code."""
    parser = _parser("find", "Lists the photos of an index that show something, best first.")
    parser.add_argument("text", help="what they show, such as 'dog on a beach'")
    parser.add_argument("--count", type=number(100_000), default=20, metavar="N", help="how many (%(default)s)")
    add_service_options(parser, 1)
    return _run(parser, arguments)


def _folders(name: str, description: str) -> argparse.ArgumentParser:
    parser = _parser(name, description)
    parser.add_argument("folder", type=folder, help="symbolic links in it are not followed")
    parser.add_argument("--force", action="store_true", help="drop what the index has, and begin it anew")
    add_service_options(parser, 16)
    return parser


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"photo-labels {name}",
        description=description,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--index", type=Path, default=Path(_INDEX), metavar="FILE", help="the index (default: %(default)s)"
    )
    parser.set_defaults(command=name)
    return parser


def _run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    given = parser.parse_args(arguments)
    given.key = api_key(parser, given)
    try:
        from ..finding import asking
    except ImportError:
        sys.stderr.write(f"{_NEEDED}\n")
        return WRONG
    try:
        is_complete = asking.COMMANDS[given.command](given)
    except asking.WRONG as error:
        asking.say(str(error))
        return WRONG
    except asking.ServiceGone as error:
        asking.say(str(error))
        return GONE
    except KeyboardInterrupt:
        asking.say("The same command continues.")
        return SIGNAL + signal.SIGINT
    return COMPLETE if is_complete else INCOMPLETE
