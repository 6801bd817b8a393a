"""What may be shown on a terminal, which obeys escape codes in the names of files and in what a service says."""

import sys

_MOST = 1000


def printable(text: str) -> str:
    """The text without control characters, and not longer than a few lines."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:_MOST])
    return f"{shown} ..." if len(text) > _MOST else shown


def say(line: str) -> None:
    """Write a line for people, on stderr."""
    print(printable(line), file=sys.stderr)
