"""Files that are locked, and files that are whole at any moment, on every system."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Beyond the end of any file: Windows keeps others from reading what is locked.
_LOCKED_BYTE = 2**62
_OPENING_NEW = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def lock(descriptor: int) -> None:
    """Lock a file until it is closed.

    Raises:
        BlockingIOError: another process has locked it.
    """
    if sys.platform == "win32":
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from error
        finally:
            os.lseek(descriptor, at, os.SEEK_SET)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def replace(new: Path, path: Path) -> None:
    """Put a file that has been written to the disk (``os.fsync``) in the place of another.

    Whatever happens, ``path`` is the old file or the new one.
    """
    new.replace(path)
    if sys.platform != "win32":  # which cannot open a folder
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network file systems cannot
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


class NewFile:
    """An empty file beside ``path``, which no other run has. At the end of the block it is removed, if it is there.

    Raises:
        BlockingIOError: another run has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Of one name, so that what a run has left that was ended here is overwritten by the next.
        self._name = path.with_name(f".{path.name}.new")
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        while True:
            descriptor = os.open(self._name, _OPENING_NEW, 0o666)
            try:
                lock(descriptor)
                # Else another run has moved it to its place between the two.
                if self._name.exists() and os.path.samestat(os.fstat(descriptor), self._name.lstat()):
                    os.ftruncate(descriptor, 0)
                    self._descriptor = descriptor
                    return self
            finally:
                if self._descriptor is None:
                    os.close(descriptor)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            if sys.platform != "win32":  # which removes no file that is open
                self._name.unlink(missing_ok=True)
            os.close(self._descriptor)
            if sys.platform == "win32":
                self._name.unlink(missing_ok=True)

    def take_its_place(self, content: Iterable[bytes]) -> None:
        """Write the file in these parts, and put it in the place of ``path``."""
        assert self._descriptor is not None  # noqa: S101
        for part in content:
            rest = part
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        os.fsync(self._descriptor)
        if self._path.exists():
            self._name.chmod(self._path.stat().st_mode & 0o7777)
        if sys.platform == "win32":  # which moves no file that is open, nor over one
            os.close(self._descriptor)
            self._descriptor = None
            replace(self._name, self._path)
        else:
            replace(self._name, self._path)
            os.close(self._descriptor)
            self._descriptor = None
