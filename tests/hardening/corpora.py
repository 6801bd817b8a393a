"""Reads a folder of decoders' test files and compares each picture with another program's.

    python -m tests.hardening.corpora FOLDER

Every file goes through the decoding processes, with their limits: one that hangs or crashes its decoder is one line of
the result. The other programs are those of ``tests.photos.oracles`` that are installed; one of them is enough to agree.
What is known to differ stands in ``known_differences.toml``, with the reason; anything else makes the status 1.
"""

import argparse
import hashlib
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from PIL import Image

from backend.clip.deadline import Deadline
from backend.clip.decoders.lanes import Decoders
from backend.clip.errors import Busy, RequestError
from backend.clip.limits import MAX_IMAGE_BYTES
from backend.clip.photos.formats import sniff
from backend.clip.photos.preprocessing import Preprocessing
from tests.photos.oracles import Oracle, installed
from tests.photos.plain import Pixels, psnr

ALIKE = 20
"""PSNR in dB, of pictures scaled to 64 by 64: decoders differ in colors and edges, a wrong picture is far from it."""
SIDE = 64
KNOWN = Path(__file__).with_name("known_differences.toml")
SAME, DIFFERENT, REFUSED, MORE, NEITHER = "same", "different", "ours refuses", "only ours reads", "both refuse"
VERDICTS = (SAME, DIFFERENT, REFUSED, MORE, NEITHER)
_TRIES = 4
_WRONG = (DIFFERENT, REFUSED)
_PREPROCESSING = Preprocessing((SIDE, SIDE), "squash")


@dataclass(frozen=True)
class Known:
    """A difference that is right, or cannot be helped."""

    files: str
    """A pattern of paths, or the beginning of a SHA-256 in hexadecimal digits, at least 16."""
    reason: str
    said: str = "*"
    """A pattern of what ours says, or of how far the pictures are from each other."""

    def covers(self, path: str, digest: str, said: str) -> bool:
        is_named = fnmatch(path, self.files) or (len(self.files) >= 16 and digest.startswith(self.files))
        return is_named and fnmatch(said, self.said)


@dataclass(frozen=True)
class Result:
    path: str
    """In the folder, with / as the separator."""
    format: str
    verdict: str
    detail: str
    """What ours said, or how far the pictures are from each other."""
    reason: str
    """Why it is known to be so; empty otherwise."""

    @property
    def is_unknown(self) -> bool:
        return self.verdict in _WRONG and not self.reason


class Comparison:
    """Compares files with what the other programs see. May be used by several threads."""

    def __init__(self, decoders: Decoders, oracles: Sequence[Oracle], known: Sequence[Known]) -> None:
        self._decoders = decoders
        self._oracles = oracles
        self._known = known

    def of(self, folder: Path, file: Path) -> Result | None:
        """The result for a file in the folder; None for what is not an image, or larger than what is accepted."""
        data = file.read_bytes()
        name = sniff(data)
        if name is None or len(data) > MAX_IMAGE_BYTES:
            return None
        ours, said = self._read(data)
        verdict, detail = (REFUSED, said) if ours is None else (MORE, said)
        nearest = -np.inf
        with tempfile.TemporaryDirectory() as temporary:
            for oracle in self._oracles:
                theirs = oracle.see(file, Path(temporary), side=4 * SIDE)
                if theirs is None:
                    continue
                if ours is None:
                    break
                distance = psnr(ours, _small(theirs))
                nearest = max(nearest, distance)
                verdict, detail = (SAME, "") if nearest >= ALIKE else (DIFFERENT, f"{nearest:.0f} dB, {oracle.name}")
                if verdict == SAME:
                    break
            else:
                if ours is None:
                    verdict = NEITHER
        path = file.relative_to(folder).as_posix()
        digest = hashlib.sha256(data).hexdigest()
        reason = next((each.reason for each in self._known if each.covers(path, digest, detail)), "")
        return Result(path, name, verdict, detail, reason if verdict in _WRONG else "")

    def _read(self, data: bytes) -> tuple[Pixels | None, str]:
        for _ in range(_TRIES):
            try:
                return self._decoders.read_photo(data, _PREPROCESSING, Deadline.unlimited()).pixels, ""
            except Busy as error:  # others had the processors
                said = f"{error.code}: {error}"
            except RequestError as error:
                return None, f"{error.code}: {error}"
        return None, said


def _small(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def known_differences(path: Path = KNOWN) -> list[Known]:
    """Read the list. Each ``[[difference]]`` has ``files``, a list of patterns, a ``reason``, and maybe ``said``."""
    listed = tomllib.loads(path.read_text()).get("difference", [])
    return [Known(pattern, entry["reason"], entry.get("said", "*")) for entry in listed for pattern in entry["files"]]


def files_of(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def table(results: Iterable[Result]) -> str:
    """How many files of each format have which verdict."""
    counts: dict[str, Counter[str]] = {}
    for result in results:
        counts.setdefault(result.format, Counter())[result.verdict] += 1
    lines = ["".join((f"{'':8}", *(f"{verdict:>17}" for verdict in VERDICTS)))]
    lines += [
        "".join((f"{name:8}", *(f"{count[verdict]:17,}" for verdict in VERDICTS)))
        for name, count in sorted(counts.items())
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="corpora", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--known", type=Path, default=KNOWN, metavar="FILE", help="the differences that are known")
    given = parser.parse_args(arguments)
    oracles = installed()
    if not oracles:
        parser.error("No program to compare with is installed (Debian: apt install libvips-tools imagemagick).")
    if not given.folder.is_dir():
        parser.error(f"{given.folder} is not a folder.")
    start = time.monotonic()
    decoders = Decoders()
    results = []
    try:
        comparison = Comparison(decoders, oracles, known_differences(given.known))
        with ThreadPoolExecutor(2) as pool:
            for result in pool.map(lambda file: comparison.of(given.folder, file), files_of(given.folder)):
                if result is None:
                    continue
                results.append(result)
                if result.verdict in _WRONG:
                    reason = result.reason or "UNKNOWN"
                    print(f"{result.path}: {result.verdict} ({result.detail}): {reason}", flush=True)
    finally:
        decoders.close()
    print(table(results))
    unknown = sum(result.is_unknown for result in results)
    known = sum(bool(result.reason) for result in results)
    names = ", ".join(oracle.name for oracle in oracles)
    print(f"{len(results):,} files against {names} in {time.monotonic() - start:.0f} s: "
          f"{known:,} known differences, {unknown:,} unknown.")  # fmt: skip
    if not results:
        print("There is no image in this folder.", file=sys.stderr)
    return 1 if unknown or not results else 0


if __name__ == "__main__":
    sys.exit(main())
