"""What has been put into a folder by this program, so that it can tell its own from everything else there.

A line is written before what it is about is done. However a run ends, all that it has made is in the record.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..files import lock
from ..states import State, state_at

_NAME = ".photo-labels.jsonl"
_OPENING = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

SYMBOLIC, HARD, COPY = "symbolic link", "hard link", "copy"


class SortingError(Exception):
    """Photos cannot be sorted into a folder. The message says why."""


@dataclass(frozen=True)
class Entry:
    """A photo's place.

    Attributes:
        photo: its path, from the folder that it was sorted into.
        place: in that folder, ``dog/IMG.jpg``.
        kind: ``SYMBOLIC``, ``HARD`` or ``COPY``.
        link: what the symbolic link says; "" for the other kinds.
        bytes, modified: the state of a hard link or a copy.
        original: when the photo itself was changed, for these two.
    """

    photo: str
    place: str
    kind: str
    link: str = ""
    bytes: int = 0
    modified: str = ""
    original: str = ""

    @property
    def folder(self) -> str:
        return Path(self.place).parts[0]

    def is_at(self, path: Path, photo: Path) -> bool:
        """Whether what is at this path is what the entry says, and nothing else that took its place."""
        if path.parent.is_symlink():  # what is in another folder is not ours, a photo for example
            return False
        if self.kind == SYMBOLIC:
            return path.is_symlink() and path.readlink() == Path(self.link)
        if path.is_symlink() or not path.is_file():
            return False
        is_same = self.kind == HARD and photo.exists() and os.path.samestat(path.lstat(), photo.lstat())
        return is_same or state_at(path) == State(self.bytes, self.modified)


class Record:
    """The record in a folder, which no other run has until it is closed.

    Args:
        folder: where it is, or is made.

    Attributes:
        entries: the photos' places, by ``Entry.photo``.
        folders: those that were made, by their names; "." for ``folder`` itself.

    Raises:
        SortingError: another run has it, or it is something else.
        OSError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self.entries: dict[str, Entry] = {}
        self.folders: set[str] = set()
        self._descriptor = os.open(self._path, _OPENING, 0o666)
        try:
            lock(self._descriptor)
            self._read()
        except BlockingIOError:
            self.close()
            raise SortingError(f"Another run is sorting photos into {folder}.") from None
        except (LookupError, TypeError, ValueError, RecursionError):
            self.close()
            raise SortingError(f"{self._path} contains something else than a record. Choose another folder.") from None

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a folder has a record."""
        return (folder / _NAME).is_file()

    def _read(self) -> None:
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):  # cut off, so nothing was done after it
                    break
                self._take(json.loads(line))
                whole += len(line)
            if file.tell() != whole:
                os.ftruncate(self._descriptor, whole)

    def _take(self, said: dict[str, Any]) -> None:
        if "folder" in said:
            self.folders.add(_inside(said["folder"], 0, 1))
        elif "gone" in said:
            del self.entries[said["gone"]]
        else:
            entry = Entry(**said)
            if not all(isinstance(value, int if name == "bytes" else str) for name, value in said.items()):
                raise ValueError(said)
            _inside(entry.place, 2, 2)
            self.entries[entry.photo] = entry

    def add(self, entry: Entry) -> None:
        if self.entries.get(entry.photo) != entry:
            self._write(asdict(entry))

    def add_folder(self, name: str) -> None:
        if name not in self.folders:
            self._write({"folder": name})

    def forget(self, photo: str) -> None:
        self._write({"gone": photo})

    def _write(self, said: dict[str, Any]) -> None:
        line = json.dumps(said).encode() + b"\n"
        size = os.fstat(self._descriptor).st_size
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:  # a full disk takes a part, which the next line would be added to
            os.ftruncate(self._descriptor, size)
            raise
        self._take(said)

    def close(self) -> None:
        os.close(self._descriptor)

    def remove(self) -> None:
        """Close the record and remove it."""
        self.close()
        self._path.unlink()


def _inside(path: str, least: int, most: int) -> str:
    """The same path, if it has so many parts and leads nowhere else. Whoever has written the record may have lied."""
    parts = Path(path).parts
    if not least <= len(parts) <= most or ".." in parts or Path(path).anchor or "\0" in path:
        raise ValueError(path)
    return path
