"""python -m benchmarks.folder: a folder of photos by ``python -m client``, beside 8 plain clients of the same service.

    python -m benchmarks.folder [--photos 10000] [--rounds 4]

The service is what ``make up`` starts. The two take turns with the same photos, so that a change of the machine's pace
meets both: the ratio is what to look at. Then the whole folder is labelled, by a client that is killed three times on
the way and started again. The photos are few, under many names: what is measured is not the disk.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.label import application, url_of

from .client import BUSY_CLIENTS, load
from .photos import SMALL, photo
from .server import memory_of

_DIFFERENT = 100
_KILLS = 3
_POLL = 0.1
_PROJECT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Run:
    """One process of the client."""

    seconds: float
    """From its start to its end."""
    peak: float
    """Of resident memory, in MB (10⁶ bytes)."""


@dataclass(frozen=True)
class Round:
    photos: int
    run: Run
    plain_seconds: float
    """What the plain clients took for as many photos."""

    @property
    def ratio(self) -> float:
        """The client's throughput to theirs."""
        return self.plain_seconds / self.run.seconds


@dataclass(frozen=True)
class Killed:
    """What the whole folder's labels were after all starts."""

    photos: int
    lost: int
    doubled: int
    peaks: Sequence[float]
    """Of resident memory, in MB (10⁶ bytes), of each start."""


@dataclass(frozen=True)
class _Service:
    host: str
    port: int


def fill(folder: Path, count: int, rounds: int) -> list[bytes]:
    """Fill ``folder`` with so many photos, one subfolder for each round, and return the different ones among them."""
    different = [photo(SMALL, seed) for seed in range(min(_DIFFERENT, count))]
    originals = []
    for n in range(count):
        place = folder / f"{n % rounds}" / f"{n // 1000}"
        place.mkdir(parents=True, exist_ok=True)
        if n < len(different):
            originals.append(place / f"{n}.jpg")
            originals[n].write_bytes(different[n])
        else:
            (place / f"{n}.jpg").hardlink_to(originals[n % len(originals)])
    return different


def label(folder: Path, url: str, out: Path, until: int | None = None) -> Run:
    """Run the client; kill it when the file has ``until`` lines."""
    command = [sys.executable, "-m", "client", str(folder), "--url", url, "--out", str(out)]
    started = time.monotonic()
    peak = 0.0
    with subprocess.Popen(command, cwd=_PROJECT, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        while process.poll() is None:
            with suppress(KeyError):  # it has ended in between
                peak = memory_of(process.pid).peak or peak
            if until is not None and _lines(out) >= until:
                process.kill()
            time.sleep(_POLL)
    return Run(time.monotonic() - started, peak)


def compare(folder: Path, url: str, photos: Sequence[bytes], turn: int) -> Round:
    """Label one folder with the client and as many photos with plain clients, who begins in every other turn."""
    address = urlsplit(url)
    service = _Service(address.hostname or "", address.port or 80)
    count = sum(1 for _ in folder.rglob("*.jpg"))
    plain, run = 0.0, None
    for plain_now in (turn % 2 == 0, turn % 2 == 1):
        if plain_now:
            plain = load(service, photos, BUSY_CLIENTS, requests=count, target=address.path).seconds
        else:
            run = label(folder, url, folder.with_suffix(".jsonl"))
    assert run is not None  # noqa: S101
    return Round(count, run, plain)


def kill(folder: Path, url: str, out: Path) -> Killed:
    """Label a folder with a client that is killed and started again, and compare its lines with the files."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.jpg")}
    untils = [len(names) * (n + 1) // (_KILLS + 1) for n in range(_KILLS)]
    runs = [label(folder, url, out, until) for until in (*untils, None)]
    with out.open(encoding="utf-8") as file:
        found = Counter(json.loads(line)["file"] for line in file)
    lost, doubled = len(names - found.keys()), sum(count - 1 for count in found.values())
    return Killed(len(names), lost, doubled, [run.peak for run in runs])


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder")
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="folder-") as place, application() as port:
        album = Path(place, "album")
        photos = fill(album, arguments.photos, arguments.rounds)
        print("| photos | client | 8 plain clients | ratio | peak memory |\n|---|---|---|---|---|")
        for turn in range(arguments.rounds):
            one = compare(album / str(turn), url_of(port), photos, turn)
            ours, plain = one.photos / one.run.seconds, one.photos / one.plain_seconds
            print(
                f"| {one.photos:,} | {ours:.1f}/s | {plain:.1f}/s | {one.ratio:.2f} | {one.run.peak:.0f} MB |",
                flush=True,
            )
        killed = kill(album, url_of(port), Path(place, "all.jsonl"))
        peaks = ", ".join(f"{peak:.0f}" for peak in killed.peaks)
        print(f"\n{killed.photos:,} photos, killed {_KILLS} times: {killed.lost} lost, {killed.doubled} doubled.")
        print(f"Peak memory of the starts: {peaks} MB.")
    return 0 if killed.lost == killed.doubled == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
