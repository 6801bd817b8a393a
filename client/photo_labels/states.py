"""By what a file is known to be the same as before: its size and when it was changed."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = 1_000_000_000


class State(NamedTuple):
    bytes: int
    modified: str
    """In UTC, to the nanosecond."""


def state(of: os.stat_result) -> State:
    """The state of a file that the system has described."""
    seconds, rest = divmod(of.st_mtime_ns, _NANOSECONDS)
    try:
        moment = f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"
    except OverflowError:  # a broken clock's
        moment = str(seconds)
    return State(of.st_size, f"{moment}.{rest:09}Z")


def state_at(path: Path) -> State | None:
    """The state of a file; None where there is none that can be looked at."""
    try:
        return state(path.lstat())
    except (OSError, ValueError):  # ValueError: no file can have this name
        return None
