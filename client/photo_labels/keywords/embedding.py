"""Keywords in the photos themselves, by ExifTool. The file is the old one or the new one at any moment.

ExifTool takes XMP out of a file and puts it in, in all formats that it knows. What is in it is decided here.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from ..files import NewFile, replace
from ..states import State, state_at
from .sidecars import KeywordsError
from .words import Words
from .xmp import MAX_BYTES, XmpError, updated

_READY = b"{ready}"
_RUNNER = Path(__file__).with_name("until_end_of_input.py")
# So that names are what they are on Windows, too.
_CHARSET = ("-charset", "filename=utf8") if sys.platform == "win32" else ()
# What ExifTool calls its own.
_BACKUP = "_original"


class NoExifTool(Exception):
    """ExifTool is not installed. The message says what to do."""


class Embedder:
    """One process of ExifTool, which is kept: starting it takes longer than its work. Any thread may use it.

    Args:
        keeps_backup: whether the photo as it was is kept, as ``IMG.jpg_original``, unless there is such a file already.

    Raises:
        NoExifTool: it is not installed.
    """

    def __init__(self, keeps_backup: bool) -> None:
        program = shutil.which("exiftool")
        if program is None:
            raise NoExifTool(
                "--embed needs ExifTool (Debian: apt install libimage-exiftool-perl; https://exiftool.org)."
            )
        self._command = [sys.executable, str(_RUNNER), program]
        self._keeps_backup = keeps_backup
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (closed by close)
        self._lock = threading.Lock()

    def write(self, photo: Path, words: Words, state: State | None = None) -> bool:
        """Put these words into a photo, in place of those of an earlier call.

        Args:
            state: the photo is left alone if it has another one.

        Returns:
            Whether it has changed.

        Raises:
            KeywordsError: it cannot be done, and the photo is as it was.
        """
        with self._lock, tempfile.TemporaryDirectory(prefix="photo-labels-") as place:
            try:
                with NewFile(photo):  # which keeps other runs away
                    return self._write(photo.absolute(), words, state, Path(place, "new.xmp"))
            except XmpError as error:
                raise KeywordsError(f"the XMP in it {error}") from error
            except BlockingIOError as error:
                raise KeywordsError("another run is writing it") from error
            except OSError as error:
                raise KeywordsError(f"it cannot be written ({error.strerror})") from error

    def close(self) -> None:
        self._end()
        self._complaints.close()

    def _end(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _write(self, photo: Path, words: Words, state: State | None, packet: Path) -> bool:
        if any(each in "\r\n" for each in str(photo)):  # which ends an argument
            raise KeywordsError("ExifTool takes no name with a line break")
        before = state_at(photo)
        if before is None or state not in (None, before):
            raise KeywordsError("changed since it was read")
        said, _ = self._run("-b", "-XMP", photo)
        if len(said) > MAX_BYTES or b"HasExtendedXMP" in said:
            raise KeywordsError("the XMP in it has several parts")
        old = said or None
        document = updated(old, words)
        if document is old:
            return False
        if document is None:
            change = "-XMP="
        else:
            packet.write_bytes(document)
            change = f"-XMP<={packet}"
        # Hidden, so that no run takes it for a photo; it keeps the ending, by which ExifTool knows the format.
        new = photo.with_name(f".new.{photo.name}")
        new.unlink(missing_ok=True)
        try:
            _, problem = self._run(change, "-o", new, photo)
            if not new.exists():
                raise KeywordsError(f"ExifTool: {problem or 'nothing was written'}")
            shutil.copymode(photo, new)
            with new.open("rb+") as file:
                os.fsync(file.fileno())
            if state_at(photo) != before:
                raise KeywordsError("changed since it was read")
            if self._keeps_backup:
                _keep(photo)
            replace(new, photo)
        finally:
            new.unlink(missing_ok=True)
        return True

    def _run(self, *arguments: str | Path) -> tuple[bytes, str]:
        """What ExifTool writes, and the first line of what it complains about."""
        process = self._running()
        assert process.stdin  # noqa: S101
        assert process.stdout  # noqa: S101
        # Quiet: what it says at its end is what it is told to.
        lines = [*_CHARSET, "-q", *arguments, "-echo3", _READY.decode(), "-execute"]
        try:
            process.stdin.write(b"".join(os.fsencode(line) + b"\n" for line in lines))
            process.stdin.flush()
            said = _until_ready(process.stdout)
        except (BrokenPipeError, EOFError):
            self._end()
            raise KeywordsError("ExifTool has ended") from None
        # Complaints go to a file, which no number of them can fill; they are there before what it says at its end.
        self._complaints.seek(0)
        complaint = self._complaints.readline().decode("utf-8", "replace").strip()
        os.ftruncate(self._complaints.fileno(), 0)
        return said, complaint.removeprefix("Error: ").partition(" - /")[0]

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                start_new_session=True,  # Ctrl-C is for this program alone, which finishes what is under way
            )
        return self._process


def _keep(photo: Path) -> None:
    """Keep the photo as it is under its other name, unless there is such a file: that is older."""
    backup = photo.with_name(photo.name + _BACKUP)
    if backup.exists():
        return
    try:
        os.link(photo, backup)
    except OSError:  # a file system that has one name for a file
        new = photo.with_name(f".new.{backup.name}")
        shutil.copy2(photo, new)
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        replace(new, backup)


def _until_ready(stream: IO[bytes]) -> bytes:
    said = bytearray()
    while line := stream.readline():
        if line.rstrip(b"\r\n").endswith(_READY):
            return bytes(said) + line.rstrip(b"\r\n").removesuffix(_READY)
        said += line
    raise EOFError
