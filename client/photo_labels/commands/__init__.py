"""The commands of ``photo-labels``, each in a module of its own, which is imported for this command alone."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

COMMANDS: Mapping[str, tuple[str, str]] = {
    "label": ("label", "main"),
    "index": ("find", "index"),
    "find": ("find", "find"),
    "duplicates": ("find", "duplicates"),
    "mcp": ("mcp", "main"),
}
"""What stands behind ``photo-labels`` before the arguments (else it is ``label``), with a module and its function."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. ``arguments`` replace those of the command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given.pop(0) if given and given[0] in COMMANDS else "label"
    module, function = COMMANDS[name]
    command: Callable[[Sequence[str]], int] = getattr(import_module(f".{module}", __name__), function)
    return command(given)
