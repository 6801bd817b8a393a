"""photo-labels index, find and duplicates: the index of a folder, and what can be asked of it. See docs/client.md."""

import argparse
import signal
from collections.abc import Sequence
from importlib import import_module

from ..finding.access import NEEDED
from ..terminal import NoOutput, say
from .exit_codes import COMPLETE, GONE, INCOMPLETE, SIGNAL, WRONG
from .options import add_index, add_service_options, add_shrink, api_key, folder, number

_EXIT_CODES = f"""exit codes:
  {COMPLETE}    it is complete
  {INCOMPLETE}    it is complete, but some photos have no place in the index, or nothing was found
  {WRONG}    wrong options, or an index that is of something else or cannot be used
  {GONE}    there is no service, or it was away for longer than --wait
  {SIGNAL + signal.SIGINT}  Ctrl-C; the same command continues"""


def index(arguments: Sequence[str]) -> int:
    """Bring an index up to date and return the exit code."""
    parser = _folders("index", "Writes the index of a folder, or brings it up to date.")
    return _run(parser, arguments, "folders", "index")


def duplicates(arguments: Sequence[str]) -> int:
    """Bring an index up to date, print the photos that are there twice, and return the exit code."""
    parser = _folders("duplicates", "Lists photos that are there twice: resized, recompressed, or slightly cropped.")
    return _run(parser, arguments, "folders", "duplicates")


def find(arguments: Sequence[str]) -> int:
    """Print the photos of an index that a text describes, and return the exit code."""
    parser = _parser("find", "Lists the photos of an index that show something, best first.")
    parser.add_argument("text", help="what they show, such as 'dog on a beach'")
    parser.add_argument("--count", type=number(100_000), default=20, metavar="N", help="how many (%(default)s)")
    add_service_options(parser, 1)
    return _run(parser, arguments, "finder", "command")


def _folders(name: str, description: str) -> argparse.ArgumentParser:
    parser = _parser(name, description)
    parser.add_argument("folder", type=folder, help="symbolic links in it are not followed")
    parser.add_argument("--force", action="store_true", help="drop what the index has, and begin it anew")
    add_service_options(parser, 16)
    add_shrink(parser)
    return parser


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"photo-labels {name}",
        description=description,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_index(parser)
    return parser


def _run(parser: argparse.ArgumentParser, arguments: Sequence[str], module: str, function: str) -> int:
    """Run a function of a module of ``finding``, which is imported for it alone: a search needs little."""
    given = parser.parse_args(arguments)
    given.key = api_key(parser, given)
    try:
        finding = import_module(f"photo_labels.finding.{module}")
        from ..finding.asking import CANNOT, ServiceGone
    except ImportError:
        say(NEEDED)
        return WRONG
    try:
        is_complete: bool = getattr(finding, function)(given)
    except (*CANNOT, NoOutput) as error:
        say(str(error))
        return WRONG
    except ServiceGone as error:
        say(str(error))
        return GONE
    except KeyboardInterrupt:
        say("The same command continues.")
        return SIGNAL + signal.SIGINT
    return COMPLETE if is_complete else INCOMPLETE
