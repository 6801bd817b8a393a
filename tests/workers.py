"""Locks between the processes in which the tests run (pytest-xdist)."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock on the file ``path`` while the block runs (flock)."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing is not enough: a child process that was forked meanwhile still has the file open.
            fcntl.flock(file, fcntl.LOCK_UN)


class Made(dict[str, Value]):
    """A dictionary whose values are made on first access."""

    def __init__(self, make: Callable[[str], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> Value:
        self[key] = self._make(key)
        return self[key]
