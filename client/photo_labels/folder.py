"""Finds the photos in a folder, and reads them."""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from .states import State, state

# Of the formats that `clip` reads, here in lower case.
IMAGE_ENDINGS = frozenset((
    ".apng", ".avif", ".avifs", ".bmp", ".gif", ".heic", ".heics", ".heif", ".heifs", ".hif", ".jfif", ".jpe", ".jpeg",
    ".jpg", ".png", ".tif", ".tiff", ".webp",
))  # fmt: skip
# Of camera raw files, whose preview it reads.
RAW_ENDINGS = frozenset((
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2",
    ".srw",
))  # fmt: skip
PHOTO_ENDINGS = IMAGE_ENDINGS | RAW_ENDINGS
# Of videos, which ffmpeg reads.
VIDEO_ENDINGS = frozenset((
    ".3gp", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm", ".wmv",
))  # fmt: skip
VIDEOS = "videos"
"""What ``Walk.left_out`` calls these where they are not asked for."""
# A live photo is a photo and a video of one name.
_LIVE_VIDEO = ".mov"
_LIVE_PHOTOS = (".heic", ".HEIC", ".jpg", ".JPG", ".jpeg", ".JPEG")
# What servers keep beside photos: Synology's thumbnails, which are named like photos, and what was deleted.
_FOLDERS_OF_SERVERS = frozenset(("@eaDir", "#recycle", "@Recycle"))
# A file that has been replaced by a symbolic link or a pipe is neither followed nor waited for. Windows has no such
# flags, and another one that keeps it from changing the bytes.
_READING = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


class Unreadable(Exception):
    """A file cannot be read now. The message is a few words, the same for all files with this problem."""


class RefusedUnread(Exception):
    """The size of a file says that the service would refuse it. ``code`` is the error that the service would give."""

    def __init__(self, code: str, message: str, state: State) -> None:
        super().__init__(message)
        self.code = code
        self.state = state


@dataclass(frozen=True)
class Photo:
    """The bytes of a file, and the file's state when they were read."""

    data: bytes
    state: State


Reader = Callable[[Path, int], Photo]
"""What reads a file, as ``read`` does."""


class Walk:
    """Yields the paths of the photos in and below a folder, relative to it, with ``/`` as the separator.

    They come in the order in which the system lists them and are not collected, so that a million of them take no
    memory. Symbolic links, names that begin with a dot, videos of live photos and what servers keep beside photos are
    left out.

    Args:
        endings: of the files that are yielded, in lower case.

    Attributes:
        left_out: the number of entries that are not photos so far, by kind.
        unreadable: the folders that could not be listed so far, with the reason.
    """

    def __init__(self, folder: Path, endings: Set[str] = PHOTO_ENDINGS) -> None:
        self.left_out: Counter[str] = Counter()
        self.unreadable: dict[str, str] = {}
        self._folder = folder
        self._endings = endings

    def __iter__(self) -> Iterator[str]:
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            try:
                with os.scandir(self._folder / inside) as entries:
                    for entry in entries:
                        name = f"{inside}{entry.name}"
                        kind = self._kind(entry)
                        if kind == "folder":
                            waiting.append(f"{name}/")
                        elif kind == "photo":
                            yield name
                        else:
                            self.left_out[kind] += 1
            except OSError as error:
                self.unreadable[inside or "."] = error.strerror or str(error)

    def _kind(self, entry: os.DirEntry[str]) -> str:
        if entry.is_symlink():
            return "symbolic links"
        if entry.name.startswith("."):
            return "hidden"
        if entry.is_dir(follow_symlinks=False):
            return "folders of a server" if entry.name in _FOLDERS_OF_SERVERS else "folder"
        ending = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122
        if not entry.is_file(follow_symlinks=False):
            return "not named like a photo"
        if ending == _LIVE_VIDEO and any(Path(entry.path).with_suffix(each).exists() for each in _LIVE_PHOTOS):
            return "live photos' videos"
        if ending in self._endings:
            return "photo"
        return VIDEOS if ending in VIDEO_ENDINGS else "not named like a photo"


def read(path: Path, max_bytes: int) -> Photo:
    """Read a file.

    Raises:
        Unreadable: the system does not allow it, it is not a regular file, or it has changed meanwhile.
        RefusedUnread: it is empty, or larger than ``max_bytes``.
    """
    try:
        descriptor = os.open(path, _READING)
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise Unreadable("is not a regular file")
            if before.st_size == 0:
                raise RefusedUnread("empty_body", "The file is empty.", state(before))
            require_size(before.st_size, max_bytes, state(before))
            data = file.read(before.st_size + 1)
            after = os.fstat(descriptor)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from error
    if len(data) != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Unreadable("changed while it was read")
    return Photo(data, state(after))


def require_size(size: int, max_bytes: int, of: State) -> None:
    """Require that a photo of so many bytes is sent.

    Raises:
        RefusedUnread: they are more than ``max_bytes``.
    """
    if size > max_bytes:
        raise RefusedUnread("body_too_large", f"The image has {size:,} bytes; at most {max_bytes:,} are accepted.", of)
