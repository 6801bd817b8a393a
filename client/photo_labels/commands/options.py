"""What the commands that ask a service have in common: the options that name it."""

import argparse
import os
from pathlib import Path
from urllib.parse import urlsplit

from ..service import USUAL_ADDRESS

_KEY = "CLIP_API_KEY"
"""The environment variable for the API key."""


def add_service(parser: argparse.ArgumentParser) -> None:
    """Add ``--url`` and ``--key-file``."""
    parser.add_argument("--url", type=_url, help=f"of clip (default: {USUAL_ADDRESS}, if a service is there)")
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help=f"has the API key; without it, the environment's {_KEY}",
    )


def api_key(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> str:
    """The API key, "" for none. The program ends where it cannot be read or cannot be sent in a header."""
    try:
        key = arguments.key_file.read_text() if arguments.key_file else os.environ.get(_KEY, "")
    except (OSError, ValueError) as error:
        parser.error(f"{arguments.key_file} cannot be read: {error}")
    if not ((key := key.strip()).isascii() and key.isprintable()):
        parser.error("an API key has visible ASCII characters only")
    return key


def _url(text: str) -> str:
    address = urlsplit(text)
    if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
        raise argparse.ArgumentTypeError(f"{text} is not an address like {USUAL_ADDRESS}")
    return text
