"""python -m benchmarks.memory: what replicas of ``clip`` on one machine take together, and what they share.

    python -m benchmarks.memory [--replicas 1 3] [--model DIR] [--seconds 15] [--merge]

Memory is the sum of all processes' PSS: a page that several have counts once. So it is too small where another program
uses the same libraries: nothing else of this project should run. The model is ViT-B/32 at 256 pixels with random
weights, which is made first, unless another is given; ``inference_precision`` in the environment applies.
"""

import argparse
import ctypes
import re
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import psutil

from .client import BUSY_CLIENTS, load
from .models import LARGER, make
from .photos import SMALL, photo
from .server import Server, serving
from .tables import table
from .variants import Variant

# Prompts of all widths that the text tower has.
_OWN_LABELS = urlencode({"labels": [f"{'x ' * words}small thing" for words in range(60)]}, doseq=True)
_KSM = Path("/sys/kernel/mm/ksm")
_PR_SET_MEMORY_MERGE = 67
# Equal pages are merged in the second or third scan.
_SCANS = 3


class Taken(NamedTuple):
    """MB (10⁶ bytes) of processes together."""

    all: float
    own: float
    """Not of files: what was allocated."""
    files: float
    """Programs, libraries and the model's files, which replicas of one image share."""


def taken(process_ids: Sequence[int]) -> Taken:
    """What these processes and their descendants take."""
    sums = [0.0, 0.0, 0.0]
    for process_id in process_ids:
        parent = psutil.Process(process_id)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(OSError):  # it may have ended
                rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
                found = (re.search(rf"^{name}:\s+(\d+)", rollup, re.M) for name in ("Pss", "Pss_Anon", "Pss_File"))
                sums = [sum_ + int(kb[1]) * 1024 / 1e6 for sum_, kb in zip(sums, found, strict=True) if kb]
    return Taken(*sums)


def most(process_ids: Sequence[int], run: Callable[[], object]) -> Taken:
    """The most that they take while something runs."""
    found, done = [taken(process_ids)], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            found.append(taken(process_ids))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        run()
    finally:
        done.set()
        watching.join()
    return max(found)


def measure(replicas: int, model: Path, seconds: float, settle: Callable[[], None]) -> dict[str, Taken]:
    """What so many replicas take together, by what they do; before each look at them, ``settle`` is called.

    Raises:
        ServerFailed: the model cannot be served.
    """
    photos = [photo(SMALL, seed) for seed in range(4)]
    variant = Variant("clip", "clip", model)
    with tempfile.TemporaryDirectory(prefix="memory-") as build, ExitStack() as stack:
        folder = variant.assemble(Path(build))
        servers: list[Server] = [
            stack.enter_context(serving(folder, variant.variables(), photos[0])) for _ in range(replicas)
        ]
        process_ids = [server.process_id for server in servers]

        def run(target: str) -> None:
            with ThreadPoolExecutor(replicas) as pool:
                ports = [server.port for server in servers]
                send = partial(load, photos=photos, clients=BUSY_CLIENTS, seconds=seconds, target=target)
                for done in pool.map(send, ports):
                    if problems := {answer.problem for answer in done.answers} - {None}:
                        raise RuntimeError(f"requests failed: {problems}")

        settle()
        found = {"idle": taken(process_ids)}
        for title, target in (("", "/"), (", labels of their own", f"/?{_OWN_LABELS}")):
            found[f"{BUSY_CLIENTS} clients each{title}"] = most(process_ids, partial(run, target))
            settle()
            found[f"after that{title}"] = taken(process_ids)
        return found


def _merge() -> None:
    """Have the kernel merge equal pages of this process and of those that it starts, as systemd's MemoryKSM does."""
    if not _KSM.exists() or (_KSM / "run").read_text().strip() != "1":
        raise SystemExit(f"The kernel merges no pages. Start it: echo 1 > {_KSM}/run")
    if ctypes.CDLL(None).prctl(_PR_SET_MEMORY_MERGE, 1, 0, 0, 0):
        raise SystemExit("This kernel merges no pages of processes that did not ask for it; Linux 6.7 does.")


def _wait_for_scans() -> None:
    scans = _KSM / "full_scans"
    end = int(scans.read_text()) + _SCANS
    while int(scans.read_text()) < end:
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 3], help="how many at a time, by default 1 3")
    parser.add_argument("--model", type=Path, metavar="DIR", help="an exported model")
    parser.add_argument("--seconds", type=float, default=15, help="of each load, by default 15")
    parser.add_argument("--merge", action="store_true", help="let the kernel merge equal pages (KSM)")
    options = parser.parse_args()
    model = options.model or make(LARGER).exported
    if options.merge:
        _merge()
    rows = []
    for replicas in options.replicas:
        found = measure(replicas, model, options.seconds, _wait_for_scans if options.merge else partial(time.sleep, 1))
        for title, memory in found.items():
            rows.append([f"{replicas}, {title}", *(f"{part:.0f}" for part in (*memory, memory.all / replicas))])
    print("\n".join(table(["replicas", "MB", "of them allocated", "of files", "a replica"], rows)))


if __name__ == "__main__":
    main()
