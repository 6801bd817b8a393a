"""Shows on a terminal how far a run is, and when it will end."""

import threading
from pathlib import Path
from types import TracebackType

from tqdm import tqdm

from .concurrency import Concurrency
from .folder import Walk
from .states import state_at

_FORMAT = "{percentage:3.0f}%|{bar}| {desc}[{elapsed}<{remaining}]"


class Progress:
    """A bar that counts bytes, by which the time that is left is reckoned: a folder has small photos and large ones.

    Its methods are called by one thread at a time.

    Args:
        walk: finds the files once more, to count them beside the run.
        is_shown: nothing is shown otherwise.
    """

    def __init__(self, folder: Path, walk: Walk, concurrency: Concurrency, is_shown: bool) -> None:
        self._concurrency = concurrency
        self._photos = self._all_photos = 0
        self._bar = tqdm(disable=not is_shown, dynamic_ncols=True, bar_format=_FORMAT, total=0)
        if is_shown:
            threading.Thread(target=self._count, args=(folder, walk), daemon=True).start()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def skip(self, size: int) -> None:
        """Note a photo of an earlier run, which says nothing of this run's pace."""
        if not self._bar.disable:
            self._bar.initial += size
        self.finish(size)

    def finish(self, size: int) -> None:
        """Note a photo with so many bytes."""
        self._photos += 1
        photos = f"{self._photos:,}/{self._all_photos:,}" if self._all_photos else f"{self._photos:,}"
        self._bar.set_description_str(f"{photos} photos, {self._concurrency.limit} at a time ", refresh=False)
        self._bar.update(size)

    def _count(self, folder: Path, walk: Walk) -> None:
        photos = size = 0
        for file in walk:
            photos += 1
            state = state_at(folder / file)
            size += state.bytes if state else 0
        self._all_photos = photos
        self._bar.total = size
        self._bar.refresh()
