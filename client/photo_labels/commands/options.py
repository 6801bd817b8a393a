"""What the options of several commands have in common."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ..service import USUAL_ADDRESS

_KEY = "CLIP_API_KEY"
"""The environment variable for the API key."""


def add_service(parser: argparse.ArgumentParser) -> None:
    """Add ``--url`` and ``--key-file``."""
    parser.add_argument("--url", type=url, help=f"of clip (default: {USUAL_ADDRESS}, if a service is there)")
    parser.add_argument(
        "--key-file",
        type=path,
        metavar="FILE",
        help=f"has the API key; without it, the environment's {_KEY}",
    )


def add_service_options(parser: argparse.ArgumentParser, at_most: int) -> None:
    """Add the options that say which service is asked, and how.

    Args:
        at_most: how many requests at a time, unless the user says something else.
    """
    add_service(parser)
    option = parser.add_argument
    option(
        "--at-most", type=number(1000), default=at_most, metavar="N", help="requests at a time (default: %(default)s)"
    )
    option("--timeout", type=number(3600), default=60, metavar="S", help="seconds for one answer (%(default)s)")
    option("--wait", type=number(86400), default=300, metavar="S", help="seconds for a service that is away (300)")


def add_shrink(parser: argparse.ArgumentParser) -> None:
    """Add ``--shrink``."""
    parser.add_argument(
        "--shrink", action="store_true", help="send large JPEGs as small as the service would make them first"
    )


def add_index(parser: argparse.ArgumentParser) -> None:
    """Add ``--index``."""
    default = Path("photo-labels.sqlite")
    parser.add_argument("--index", type=path, default=default, metavar="FILE", help="the index (default: %(default)s)")


def api_key(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> str:
    """The API key, "" for none. The program ends where it cannot be read or cannot be sent in a header."""
    try:
        key = arguments.key_file.read_text() if arguments.key_file else os.environ.get(_KEY, "")
    except (OSError, ValueError) as error:
        parser.error(f"{arguments.key_file} cannot be read: {error}")
    if not ((key := key.strip()).isascii() and key.isprintable()):
        parser.error("an API key has visible ASCII characters only")
    return key


def path(text: str) -> Path:
    """A parser of paths. Shells leave ``--out=~/FILE`` to the program, and make leaves all paths."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 (which refuses ~ in front of what is no user)


def folder(text: str) -> Path:
    found = path(text)
    if not found.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder")
    return found


def url(text: str) -> str:
    address = urlsplit(text)
    if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
        raise argparse.ArgumentTypeError(f"{text} is not an address like http://127.0.0.1:8080/function/clip")
    return text


def share(text: str) -> float:
    """A parser of numbers from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:  # nor what is no number
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value


def number(most: int) -> Callable[[str], int]:
    """A parser of whole numbers from 1 to ``most``."""

    def parsed(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to {most}")
        return int(text)

    return parsed
