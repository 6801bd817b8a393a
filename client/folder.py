"""Finds the photos in a folder, while others are already being labelled, and reads them."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# The endings of the formats that `clip` reads, in upper or lower case.
ENDINGS = frozenset((
    ".apng", ".avif", ".avifs", ".bmp", ".gif", ".heic", ".heics", ".heif", ".heifs", ".hif", ".jfif", ".jpe", ".jpeg",
    ".jpg", ".png", ".tif", ".tiff", ".webp",
))  # fmt: skip


class Unreadable(Exception):
    """A file that cannot be read. The message is a few words, the same for all files with this problem."""


class RefusedUnread(Exception):
    """A file that the service would refuse for its size; ``code`` is the code of that error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Walk:
    """Yields the paths of the photos in and below a folder, relative to it, with ``/``.

    They come in the order in which the system lists them, and are not collected, so that a million of them take no
    memory. Symbolic links and hidden files are left out.

    Attributes:
        left_out: how many files of each kind were no photos, so far.
        unreadable: the folders that could not be listed, so far, with the reason.
    """

    def __init__(self, folder: Path) -> None:
        self.left_out: Counter[str] = Counter()
        self.unreadable: dict[str, str] = {}
        self._folder = folder

    def __iter__(self) -> Iterator[str]:
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            try:
                with os.scandir(self._folder / inside) as entries:
                    for entry in entries:
                        name = f"{inside}{entry.name}"
                        kind = _kind(entry)
                        if kind == "folder":
                            waiting.append(f"{name}/")
                        elif kind == "photo":
                            yield name
                        else:
                            self.left_out[kind] += 1
            except OSError as error:
                self.unreadable[inside or "."] = error.strerror or str(error)


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "symbolic links"
    if entry.name.startswith("."):
        return "hidden"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    if entry.is_file(follow_symlinks=False) and os.path.splitext(entry.name)[1].lower() in ENDINGS:  # noqa: PTH122
        return "photo"
    return "not named like a photo"


def read(path: Path, max_bytes: int) -> bytes:
    """Read a file.

    Raises:
        Unreadable: it is no regular file, cannot be read, or was changed meanwhile.
        RefusedUnread: it is empty, or has more bytes than the service takes; then it is not read.
    """
    try:
        # If it has become a symbolic link or a pipe since it was found, it is neither followed nor waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise Unreadable("is no regular file")
            if before.st_size == 0:
                raise RefusedUnread("empty_body", "The file is empty.")
            if before.st_size > max_bytes:
                problem = f"The image has {before.st_size:,} bytes; at most {max_bytes:,} are accepted."
                raise RefusedUnread("body_too_large", problem)
            data = file.read(before.st_size + 1)
            after = os.fstat(descriptor)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error
    if len(data) != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Unreadable("changed while it was read")
    return data
