"""The tests run in two processes (pytest-xdist): what these share, and how a test has the computer to itself."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

Value = TypeVar("Value")


@contextmanager
def locked(path: Path, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds a lock of the file `path`, which other processes respect, for as long as the block runs."""
    with path.open("a") as file:
        fcntl.flock(file, kind)
        try:
            yield
        finally:
            # Not by closing alone: a process that was forked meanwhile has the file too.
            fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def taking_turns(item: pytest.Item) -> Iterator[None]:
    """While the block runs no other test does if this one is marked `alone`, and no such test if it is not."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    folder = Path(item.config.getoption("basetemp")).parent
    alone = item.get_closest_marker("alone") is not None
    # Who waits for the others to finish holds up those who come after.
    with locked(folder / "door.lock"):
        running = locked(folder / "running.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        running.__enter__()
    try:
        yield
    finally:
        running.__exit__(None, None, None)


class Made(dict[str, Value]):
    """Values that are made when they are first asked for."""

    def __init__(self, make: Callable[[str], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> Value:
        self[key] = self._make(key)
        return self[key]
