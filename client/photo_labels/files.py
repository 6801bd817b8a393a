"""Files that are locked, and files that are whole at any moment, on every system."""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Beyond the end of any file: Windows keeps others from reading what is locked.
_LOCKED_BYTE = 2**62


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
