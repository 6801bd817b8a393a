"""Writes results to a file, which another run can continue, or to stdout."""

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .formats import Format, Result

_STDOUT = 1


class OutputError(Exception):
    """The output cannot be written to. The message says why."""


class Output:
    """One line for each photo, written as soon as its result is there.

    A file that has results already is continued, also if stdout is such a file (``>>``). Other runs are locked out.

    Args:
        path: the file, or None for stdout.

    Raises:
        OutputError: it cannot be opened, or another run is writing to it.
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
    def how_to_continue(self) -> str:
        """Advice for the person whose run has ended early."""
        if not self._is_file:
            return "With --out FILE, another run could continue this one."
        return "The same command continues" + (", with >> instead of >." if self._descriptor == _STDOUT else ".")

    def earlier(self) -> Iterator[Result]:
        """The results that the file has already.

        This must be read to its end before anything is written. It also removes a line that was cut off.

        Raises:
            OutputError: the file cannot be read, or contains something else.
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
            raise OutputError(f"{self.name} cannot be continued: {error.strerror}.") from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"{self.name} contains something else than results of these options, near byte {end:,}."
            raise OutputError(f"{problem} Choose another file.") from error
        if end == 0 and self._format.header:
            self._write(self._format.header)

    def write(self, result: Result) -> None:
        """Append a result.

        Raises:
            OutputError: the system does not allow it, for example because the disk is full.
        """
        self._write(self._format.line(result))

    def _is_ours(self, file: BinaryIO) -> bool:
        """Whether the file begins like results. Stdout may be a log that does not.

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
