"""Memory, threads and open files of a program and its child processes."""

import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MEGABYTE = 1 << 20


def family(process_id: int) -> list[psutil.Process]:
    """The process and its descendants."""
    process = psutil.Process(process_id)
    return [process, *process.children(recursive=True)]


def memory_of(processes: Sequence[psutil.Process]) -> int:
    """Their memory in bytes (PSS, so that shared pages count once). Processes that have ended count nothing."""
    total = 0
    for process in processes:
        with suppress(OSError, psutil.Error):
            # psutil has the PSS too, and takes far longer for it.
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_bytes()
            total += int(re.search(rb"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) * 1024  # type: ignore[index]
    return total


@dataclass(frozen=True)
class Census:
    """The resources of a process and its descendants at one moment."""

    threads: int
    """Of the process itself, without its descendants."""
    descriptors: int
    memory: int
    """Bytes."""
    processes: int

    @classmethod
    def of(cls, process_id: int) -> "Census":
        processes = family(process_id)
        return cls(processes[0].num_threads(), processes[0].num_fds(), memory_of(processes), len(processes))


class Watch:
    """Samples the memory of a process and its descendants: ``peak`` and ``growth``, in bytes."""

    def __init__(self, process_id: int) -> None:
        self._process_id = process_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watch":
        self.start = self.peak = memory_of(family(self._process_id))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            with suppress(psutil.Error):  # a child may end while its family is counted
                self.peak = max(self.peak, memory_of(family(self._process_id)))

    @property
    def growth(self) -> int:
        return self.peak - self.start
