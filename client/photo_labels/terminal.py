"""What may be shown on a terminal, which obeys escape codes in the names of files and in what a service says."""

import os
import sys

_MOST = 1000


class NoOutput(Exception):
    """Stdout takes nothing more. The message says why."""


def printable(text: str) -> str:
    """The text without control characters, and not longer than a few lines."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:_MOST])
    return f"{shown} ..." if len(text) > _MOST else shown


def say(line: str) -> None:
    """Write a line for people, on stderr."""
    print(printable(line), file=sys.stderr)


def write(line: str) -> None:
    """Write a line of results on stdout.

    Raises:
        NoOutput: it takes nothing more, as a pipe whose reader has ended.
    """
    encoding = sys.stdout.encoding
    try:
        # A terminal may lack characters of a name.
        print(line.encode(encoding, "replace").decode(encoding), flush=True)
    except OSError as error:
        # Python would try again at its end to write what is left.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise NoOutput(f"stdout cannot be written to: {error.strerror}.") from error
