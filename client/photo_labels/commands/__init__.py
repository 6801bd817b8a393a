"""The commands of ``photo-labels``, each in a module of its own."""

import sys
from collections.abc import Callable, Mapping, Sequence

from . import find, label, mcp

COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "label": label.main,
    "index": find.index,
    "find": find.find,
    "duplicates": find.duplicates,
    "mcp": mcp.main,
}
"""What stands behind ``photo-labels`` before the arguments. Without one of these it is ``label``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. ``arguments`` replace those of the command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in COMMANDS:
        return COMMANDS[given[0]](given[1:])
    return label.main(given)
