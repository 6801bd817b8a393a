"""Writes results to a file, which another run can continue, or to stdout."""

import csv
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from .files import lock, replace
from .formats import Format
from .origin import Origin
from .results import Result

_STDOUT = 1
# Over twice the longest answer that is read.
_LONGEST_LINE = 5 << 20
# In a line of CSV: those that a path can have.
_MOST_LINE_BREAKS = 5000
_OPENING = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
_NOT_OURS = (LookupError, TypeError, ValueError, RecursionError, csv.Error)


class OutputError(Exception):
    """The output cannot be written to. The message says why."""


class Output:
    """One line for each photo, written as soon as its result is there, after a line that says what they are of.

    A file that has results already is continued, also if stdout is such a file (``>>``). Other runs are locked out.

    Args:
        path: the file, or None for stdout.

    Raises:
        OutputError: it cannot be opened, or another run is writing to it.
    """

    def __init__(self, path: Path | None, format_: Format) -> None:
        self.name = str(path or "stdout")
        # What a link leads to is replaced, and not the link.
        self._path = Path(os.path.realpath(path)) if path else None
        self._format = format_
        self._continued_at: int | None = None
        try:
            self._descriptor = self._opened()
            self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        except BlockingIOError:
            raise OutputError(f"Another run is writing to {self.name}.") from None
        except OSError as error:
            raise OutputError(f"{self.name} cannot be opened: {error.strerror}.") from error

    @property
    def how_to_continue(self) -> str:
        """Advice for the person whose run has ended early."""
        if not self._is_file:
            return "With --out FILE, another run could continue this one."
        return "The same command continues" + (", with >> instead of >." if self._path is None else ".")

    def begin(self, origin: Origin, anew: bool) -> None:
        """Find out whether the file has results of this origin, and write what they are of where it has none.

        Args:
            anew: remove the results that it has.

        Raises:
            OutputError: the file has results of something else (unless ``anew``), or is not of this format.
        """
        header = self._format.header(origin)
        try:
            first, is_all = self._first_line()
            if first and is_all and not self._format.is_complete(first) and self._may_be_ours(first):
                first = b""  # a run was ended within its first write
                self._empty()
            before = self._origin(first) if first else None
            if before is not None:
                differences = before.differences(origin)
                if not differences and not anew:
                    self._continued_at = len(first)
                    return
                if not (anew or is_all):
                    raise OutputError(
                        f"{self.name} has results of another run: {'; '.join(differences)}. "
                        "Choose another file, or add --force to drop them and begin anew."
                    )
                self._empty()
        except OSError as error:
            raise OutputError(f"{self.name} cannot be continued: {error.strerror}.") from error
        self._write(header)

    def earlier(self, holds: Callable[[Result], bool]) -> Iterator[Result]:
        """The results that the file has already. A line that was cut off is removed, and so are those that do not hold.

        This must be read to its end before anything is written.

        Args:
            holds: whether a result still does.

        Raises:
            OutputError: the file cannot be read or written to, or contains something else.
        """
        if self._continued_at is None:
            return
        end, rewriting = self._continued_at, None
        try:
            with self._reader() as file:
                file.seek(end)
                for line in self._lines(file):
                    result = self._format.result(line)
                    if holds(result):
                        if rewriting:
                            rewriting.write(line)
                        yield result
                    elif not rewriting:
                        rewriting = _Rewriting(self._replaceable(result), file, end)
                    end += len(line)
            if rewriting:
                self._descriptor = rewriting.finish(self._descriptor)
            else:
                os.ftruncate(self._descriptor, end)
                os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError as error:
            raise OutputError(f"{self.name} cannot be continued: {error.strerror}.") from error
        except _NOT_OURS as error:
            problem = f"{self.name} contains something else than results of these options, near byte {end:,}."
            raise OutputError(f"{problem} Choose another file.") from error
        finally:
            if rewriting:
                rewriting.forget()

    def write(self, result: Result) -> None:
        """Append a result.

        Raises:
            OutputError: the system does not allow it, for example because the disk is full.
        """
        self._write(self._format.line(result))

    def _opened(self) -> int:
        if self._path is None:
            if stat.S_ISREG(os.fstat(_STDOUT).st_mode):
                lock(_STDOUT)
            return _STDOUT
        while True:
            descriptor = os.open(self._path, _OPENING, 0o666)
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    lock(descriptor)
                if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # another run has replaced the file between the two

    def _reader(self) -> BinaryIO:
        return (self._path or _path_of_stdout()).open("rb")

    def _first_line(self) -> tuple[bytes, bool]:
        """The file's first line, and whether nothing follows it."""
        if not self._is_file or not os.fstat(self._descriptor).st_size:
            return b"", True
        with self._reader() as file:
            line = file.readline(_LONGEST_LINE)
            return line, not file.read(1)

    def _may_be_ours(self, beginning: bytes) -> bool:
        ours = self._format.beginning
        return beginning.startswith(ours) or ours.startswith(beginning)

    def _origin(self, first: bytes) -> Origin | None:
        """What the file's first line says; None for a stdout that is a log of other things, which is added to.

        Raises:
            OutputError: it says something else.
        """
        try:
            if self._may_be_ours(first):
                return self._format.origin(first)
        except _NOT_OURS:
            pass
        if self._path is None:
            return None
        raise OutputError(f"{self.name} contains something else than results in this format. Choose another file.")

    def _empty(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        """The file's complete lines.

        Raises:
            ValueError: one is longer than any result.
        """
        line, breaks = b"", 0
        while part := file.readline(_LONGEST_LINE):
            line += part
            breaks += 1
            if len(line) > _LONGEST_LINE or breaks > _MOST_LINE_BREAKS:
                raise ValueError(len(line))
            if self._format.is_complete(line):
                yield line
                line, breaks = b"", 0

    def _replaceable(self, result: Result) -> Path:
        """The file, which has to be written anew.

        Raises:
            OutputError: it is stdout's, which cannot be replaced.
        """
        if self._path is None:
            raise OutputError(
                f"{result.file} has changed since its result was written to stdout. With --out FILE for the same file "
                "it is asked again."
            )
        return self._path

    def _write(self, line: bytes) -> None:
        try:
            if self._path is None and os.isatty(_STDOUT):  # Windows expects a terminal's text there
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
                return
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written to: {error.strerror}.") from error


class _Rewriting:
    """A new file with the lines that hold, which takes the place of the old one when it is complete.

    Args:
        path: the old file.
        old: the same, open.
        size: how many of its first bytes hold.
    """

    def __init__(self, path: Path, old: BinaryIO, size: int) -> None:
        self._path = path
        # Of one name, so that what a run has left that was ended here is overwritten by the next.
        self._new = path.with_name(f".{path.name}.new")
        self._file = self._new.open("wb")
        at = old.tell()
        old.seek(0)
        while size and (block := old.read(min(size, 1 << 20))):
            self._file.write(block)
            size -= len(block)
        old.seek(at)

    def write(self, line: bytes) -> None:
        self._file.write(line)

    def finish(self, old: int) -> int:
        """Replace the old file, of which this is the descriptor; gives that of the new one, locked."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        shutil.copymode(self._path, self._new)
        if sys.platform == "win32":  # which replaces no file that is open
            os.close(old)
            replace(self._new, self._path)
            new = os.open(self._path, _OPENING)
            lock(new)
        else:
            new = os.open(self._new, _OPENING)
            lock(new)
            replace(self._new, self._path)
            os.close(old)
        return new

    def forget(self) -> None:
        """Remove the new file, if it has not taken the old one's place."""
        self._file.close()
        with suppress(OSError):
            self._new.unlink()


def _path_of_stdout() -> Path:
    """A name by which the file that stdout is can be read."""
    if sys.platform == "darwin":
        import fcntl

        name = fcntl.fcntl(_STDOUT, fcntl.F_GETPATH, bytes(1024))
        return Path(os.fsdecode(name.partition(b"\0")[0]))
    return Path("/dev/stdout")
