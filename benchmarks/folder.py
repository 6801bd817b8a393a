"""python -m benchmarks.folder: a folder of photos by ``photo-labels``, beside 8 plain clients of the same service.

    python -m benchmarks.folder [--photos 2500] [--rounds 4]

The service is what ``make up`` starts. The two take turns with the same photos, and in beginning, so that a change of
the machine's pace meets both: the ratio is what to look at. The photos are few, under many names: what is measured is
not the disk. The start of the client's process counts, so that few photos are too few.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from local.label import CLIENT, application, url_of

from .client import BUSY_CLIENTS, load
from .photos import SMALL, photo
from .server import peak_memory


def fill(folder: Path, photos: Sequence[bytes], count: int) -> None:
    """Put so many photos into a folder, a thousand into each folder in it."""
    for n in range(count):
        path = folder / f"{n // 1000}" / f"{n}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photos[n % len(photos)])


def label(folder: Path, port: int, out: Path) -> tuple[float, float]:
    """Label the folder with the application behind this port: how many seconds and MB (10⁶ bytes) the client takes."""
    command = [sys.executable, "-m", "photo_labels", str(folder), "--url", url_of(port), "--out", str(out)]
    started, peak = time.monotonic(), 0.0
    with subprocess.Popen(command, cwd=CLIENT, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.1)
    return time.monotonic() - started, peak


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder")
    parser.add_argument("--photos", type=int, default=2500)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    photos = [photo(SMALL, seed) for seed in range(100)]
    with tempfile.TemporaryDirectory(prefix="folder-") as place, application() as port:
        fill(Path(place, "album"), photos, options.photos)
        print(f"client, photos/s | its MB | {BUSY_CLIENTS} plain clients, photos/s | ratio")
        ratios, seconds = [], 0.0
        for turn in range(options.rounds):
            plain = load(port, photos, BUSY_CLIENTS, seconds, "/function/clip").per_second if turn % 2 else 0.0
            seconds, peak = label(Path(place, "album"), port, Path(place, f"{turn}.jsonl"))
            plain = plain or load(port, photos, BUSY_CLIENTS, seconds, "/function/clip").per_second
            ours = options.photos / seconds
            ratios.append(ours / plain)
            print(f"{ours:.1f} | {peak:.0f} | {plain:.1f} | {ratios[-1]:.2f}", flush=True)
        print(f"median ratio: {median(ratios):.2f}")


if __name__ == "__main__":
    main()
