"""Locks between the two processes in which the tests run (pytest-xdist)."""

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
    """Holds a lock on the file `path` while the block runs (flock)."""
    with path.open("a") as file:
        fcntl.flock(file, kind)
        try:
            yield
        finally:
            # Closing is not enough: a child process that was forked meanwhile still has the file open.
            fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def taking_turns(item: pytest.Item) -> Iterator[None]:
    """Runs a test marked `alone` while no other runs: it takes the lock exclusively, and the others share it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    folder = Path(item.config.getoption("basetemp")).parent
    alone = item.get_closest_marker("alone") is not None
    # A test that waits for the exclusive lock must not be overtaken again and again.
    with locked(folder / "door.lock"):
        running = locked(folder / "running.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        running.__enter__()
    try:
        yield
    finally:
        running.__exit__(None, None, None)


class Made(dict[str, Value]):
    """A dictionary whose values are made on first access."""

    def __init__(self, make: Callable[[str], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> Value:
        self[key] = self._make(key)
        return self[key]
