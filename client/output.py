"""The output: a file that a second start continues, or stdout."""

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .formats import Format, Result

_STDOUT = 1


class OutputError(Exception):
    """The output cannot be written. The message says why."""


class Output:
    """Writes a line for each photo at once, and as a whole.

    A file that has lines already is gone on with, also where stdout is one (``>>``). While it is open no other process
    can do the same.

    Args:
        path: the file, or None for stdout.

    Raises:
        OutputError: it cannot be opened, or another run writes to it.
    """

    def __init__(self, path: Path | None, format_: Format) -> None:
        self.name = str(path or "stdout")
        self._path = path or Path("/dev/stdout")
        self._format = format_
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        try:
            self._descriptor = _STDOUT if path is None else os.open(path, flags, 0o666)
            self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
            if self._is_file:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(f"Another run is writing to {self.name}.") from None
        except OSError as error:
            raise OutputError(f"{self.name} cannot be opened: {error.strerror}.") from error

    @property
    def how_to_go_on(self) -> str:
        """What a person is told whose run has ended early."""
        if not self._is_file:
            return "With --out FILE, a second start goes on where the first was ended."
        return "The same command goes on" + (", with >> in place of >." if self._descriptor == _STDOUT else ".")

    def earlier(self) -> Iterator[Result]:
        """Yield the results that are there, remove a line that was cut off, and leave the file ready for more.

        To be read to its end before anything is written.

        Raises:
            OutputError: the file cannot be read, or has something else in it.
        """
        end = 0
        try:
            if self._is_file and os.fstat(self._descriptor).st_size:
                with self._path.open("rb") as file:
                    if self._is_ours(file):
                        for line in self._lines(file):
                            end += len(line)
                            if line != self._format.header:
                                yield self._format.result(line)
                        os.ftruncate(self._descriptor, end)
                        os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError as error:
            raise OutputError(f"{self.name} cannot be gone on with: {error.strerror}.") from error
        except (ValueError, LookupError, TypeError) as error:
            problem = f"{self.name} has something else in it than results of these options, near byte {end:,}."
            raise OutputError(f"{problem} Choose another file.") from error
        if end == 0 and self._format.header:
            self._write(self._format.header)

    def write(self, result: Result) -> None:
        """Write a result.

        Raises:
            OutputError: it cannot be written.
        """
        self._write(self._format.line(result))

    def _is_ours(self, file: BinaryIO) -> bool:
        """Whether the file begins like results. Stdout may be a log with other text in it.

        Raises:
            ValueError: a file that is not stdout does not.
        """
        begins = self._format.beginning.startswith(file.read(len(self._format.beginning)))
        if not begins and self._descriptor != _STDOUT:
            raise ValueError(self._format.beginning)
        file.seek(0)
        return begins

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        """The file's complete lines."""
        line = b""
        for part in file:
            line += part
            if self._format.is_complete(line):
                yield line
                line = b""

    def _write(self, line: bytes) -> None:
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written to: {error.strerror}.") from error
