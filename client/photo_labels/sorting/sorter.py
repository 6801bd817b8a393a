"""Puts each photo into the folder of its word, and takes out again exactly what it has put there."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from ..labeling import Left
from ..results import Result
from ..states import state_at
from .names import folder_name
from .record import COPY, HARD, SYMBOLIC, Entry, Record, SortingError

# One at a time is copied. A run that was ended leaves it, and the next one overwrites it.
_NEW = ".photo-labels.new"
# Of a name, on every usual file system.
_MOST_BYTES = 255


class Sorter:
    """Keeps a folder in which each photo is in the folder of its word. Any thread may use it.

    Links are symbolic and relative, or hard ones where there are no others. Nothing is ever overwritten: where another
    file has the name, the photo gets a number. What a photo has of an earlier run is moved with its word.

    Args:
        target: the folder; it is made if it is not there.
        source: the folder that has the photos.
        copies: whether the photos are copied.

    Raises:
        SortingError: it cannot be done.
    """

    def __init__(self, target: Path, source: Path, copies: bool) -> None:
        self._target, self._source = _apart(target, source)
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, str], int] = {}
        try:
            is_new = not self._target.exists()
            self._target.mkdir(parents=True, exist_ok=True)
            self._record = Record(self._target)
            if is_new:
                self._record.add_folder(".")
            self._kind = COPY if copies else self._link_kind()
        except OSError as error:
            raise SortingError(f"{target} cannot be written to: {error.strerror}.") from error

    def close(self) -> None:
        with suppress(OSError):
            (self._target / _NEW).unlink()  # of a copy that a full disk did not take
        self._record.close()

    def keep(self, folder: Path, result: Result) -> Result:
        """Put a photo where its word says; gives the result as it was.

        Raises:
            Left: it cannot be done.
        """
        with self._lock:
            try:
                self._place(result)
            except OSError as error:
                raise Left(f"cannot be sorted ({error.strerror})") from error
        return result

    def _place(self, result: Result) -> None:
        photo = self._source / result.file
        key = _from(self._target, photo)
        now, before = state_at(photo), self._record.entries.get(key)
        if now is None:
            return
        word = None if result.error is not None else folder_name(result.word)
        if before is not None:
            if word is None and before.kind != SYMBOLIC:  # of a photo that is damaged now it is what is left
                return
            place = self._target / before.place
            is_there = before.is_at(place, photo)
            is_right = before.folder == word and before.kind == self._kind
            if is_there and is_right and (before.kind == SYMBOLIC or before.original == now.modified):
                return
            if is_there:
                place.unlink()
                self._drop(before.folder)
            if word is None:
                self._record.forget(key)
            elif is_right and not os.path.lexists(place) and self._put(photo, key, word, place.name):
                return
        if word is not None:
            any(self._put(photo, key, word, name) for name in self._names(word, photo))

    def _put(self, photo: Path, key: str, word: str, name: str) -> bool:
        """Put a photo at this name; False if there is such a file already."""
        place, before = self._folder(word) / name, state_at(photo)
        if os.path.lexists(place) or before is None:
            return before is None
        where = f"{word}/{name}"
        try:
            if self._kind == SYMBOLIC:
                link = _from(place.parent, photo)
                self._record.add(Entry(key, where, SYMBOLIC, link))
                place.symlink_to(link)
            elif self._kind == HARD:
                self._record.add(Entry(key, where, HARD, "", *before, before.modified))
                os.link(photo, place)
            else:
                new = self._target / _NEW
                _copy(photo, new)
                if state_at(photo) != before:
                    raise Left("changed while it was copied")
                copied = state_at(new)
                assert copied is not None  # noqa: S101
                self._record.add(Entry(key, where, COPY, "", *copied, before.modified))
                _move(new, place)
        except FileExistsError:  # since then, or where upper and lower case are the same
            return False
        return True

    def _names(self, word: str, photo: Path) -> Iterator[str]:
        """Names for a photo in a folder: its own, then that with a number."""
        at = (word, photo.name)
        if at not in self._numbers:
            self._numbers[at] = 2
            yield photo.name
        for number in count(self._numbers[at]):
            self._numbers[at] = number + 1
            yield _numbered(photo, number)

    def _folder(self, word: str) -> Path:
        folder = self._target / word
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise Left(f"{word} in {self._target} is not a folder")
        if not folder.exists():
            self._record.add_folder(word)
            folder.mkdir()
        return folder

    def _drop(self, word: str) -> None:
        if word in self._record.folders:
            with suppress(OSError):  # it is not empty
                (self._target / word).rmdir()

    def _link_kind(self) -> str:
        """The kind of links that lead from one folder to the other.

        Raises:
            SortingError: there is none.
        """
        known = {entry.kind for entry in self._record.entries.values()} - {COPY}
        if known:
            return known.pop()
        probe = self._target / _NEW
        probe.unlink(missing_ok=True)
        try:
            probe.symlink_to("nothing")
        except OSError as error:  # Windows without developer mode, FAT
            try:
                probe.touch()
                os.link(probe, other := probe.with_suffix(".link"))
                other.unlink()
            except OSError:
                is_possible = False
            else:
                is_possible = self._target.stat().st_dev == self._source.stat().st_dev
            if not is_possible:
                problem = f"{self._target} takes no links to photos in {self._source} ({error.strerror})."
                raise SortingError(f"{problem} With --copy they are copied.") from error
            return HARD
        finally:
            probe.unlink(missing_ok=True)
        return SYMBOLIC


def undo(target: Path, source: Path) -> tuple[int, list[tuple[str, str]]]:
    """Take out of ``target`` what ``Sorter`` has put there for photos in ``source``.

    Returns:
        How many links and copies were removed, and the places where something was left, with the reason.

    Raises:
        SortingError: there is nothing, or it cannot be done.
    """
    target, source = _apart(target, source)
    if not Record.exists(target):
        raise SortingError(f"Nothing has been sorted into {target}.")
    removed = 0
    left: list[tuple[str, str]] = []
    try:
        record = Record(target)
        try:
            for entry in list(record.entries.values()):
                photo = Path(os.path.normpath(target / entry.photo))
                if not photo.is_relative_to(source):
                    continue
                place = target / entry.place
                if entry.is_at(place, photo):
                    if entry.kind != SYMBOLIC and not os.path.lexists(photo):
                        left.append((entry.place, "its photo is not there"))
                        continue
                    place.unlink()
                    removed += 1
                elif os.path.lexists(place):
                    left.append((entry.place, "it has been changed"))
                record.forget(entry.photo)
            for name in record.folders - {"."}:
                with suppress(OSError):  # it is not empty, or gone
                    (target / name).rmdir()
            (target / _NEW).unlink(missing_ok=True)
        finally:
            if record.entries:
                record.close()
            else:
                record.remove()
        if not record.entries and "." in record.folders:
            with suppress(OSError):  # it is not empty
                target.rmdir()
    except OSError as error:
        raise SortingError(f"{target} cannot be written to: {error.strerror}.") from error
    return removed, left


def _apart(target: Path, source: Path) -> tuple[Path, Path]:
    """The real paths of two folders.

    Raises:
        SortingError: one is in the other, and what is sorted would be taken for photos, or these for what is sorted.
    """
    target, source = Path(os.path.realpath(target)), Path(os.path.realpath(source))
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise SortingError(f"{target} and {source} must not be within one another. Choose another folder to sort into.")
    return target, source


def _from(folder: Path, photo: Path) -> str:
    try:
        return os.path.relpath(photo, folder)
    except ValueError:  # on another drive
        return str(photo)


def _numbered(photo: Path, number: int) -> str:
    """The name of a photo with a number, shortened where it would be too long."""
    ending = f" ({number}){photo.suffix}"
    room = _MOST_BYTES - len(os.fsencode(ending))
    stem = os.fsencode(photo.stem)
    return (photo.stem if len(stem) <= room else stem[:room].decode(errors="ignore")) + ending


def _copy(photo: Path, new: Path) -> None:
    """Copy a photo with its time of change to the disk."""
    new.unlink(missing_ok=True)
    shutil.copyfile(photo, new, follow_symlinks=False)
    when = photo.lstat()
    os.utime(new, ns=(when.st_atime_ns, when.st_mtime_ns))
    with new.open("rb+") as file:
        os.fsync(file.fileno())


def _move(new: Path, place: Path) -> None:
    """Give a file another name, but not that of a file which is there.

    Raises:
        FileExistsError: there is one.
    """
    try:
        os.link(new, place)
    except FileExistsError:
        raise
    except OSError as error:  # a file system that has one name for a file
        if os.path.lexists(place):
            raise FileExistsError(error.errno, error.strerror) from error
        new.rename(place)
    else:
        new.unlink()
