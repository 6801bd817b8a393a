"""Mutated real files at length: python -m tests.hardening.fuzz --minutes 30 --failures FOLDER

A file that gets no ranking and no typed error, that takes long, or that makes the memory grow over what the limits
imply is saved in the folder.
"""

import argparse
import hashlib
import random
import sys
import time
from collections import Counter
from pathlib import Path

import requests

from backend.clip.limits import MAX_IMAGE_PIXELS
from tests.hardening.samples import mutated, real_files
from tests.hardening.server import MEGABYTE, Census, Watch, clip, verdict

SLOW = 10.0
MOST_MEMORY = 20 * MAX_IMAGE_PIXELS + 64 * MEGABYTE
"""Bytes over those at the start: the most expensive format, and the request."""


def problem(url: str, process_id: int, data: bytes, at_start: int) -> tuple[str, str]:
    """The verdict, and what is wrong with it or ""."""
    start = time.monotonic()
    with Watch(process_id) as memory:
        try:
            answer = verdict(requests.post(url, data=data, timeout=6 * SLOW))
        except (AssertionError, KeyError, ValueError, requests.RequestException) as error:
            return "failed", f"no answer in the form of the contract: {error!r}"
    if time.monotonic() - start > SLOW:
        return answer, f"took {time.monotonic() - start:.1f} s"
    if memory.peak - at_start > MOST_MEMORY:
        return answer, f"took {(memory.peak - at_start) // MEGABYTE} MB"
    return answer, ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--failures", type=Path, default=Path("build/fuzz"), metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--model", type=Path, metavar="DIR", help="an exported model, not the bundled one")
    arguments = parser.parse_args()
    files = list(real_files().values())
    source = random.Random(arguments.seed)
    verdicts: Counter[str] = Counter()
    failures = 0
    end = time.monotonic() + 60 * arguments.minutes
    print(f"seed {arguments.seed}", flush=True)
    with clip(arguments.model) as program:
        process_id = program.process.pid
        start = Census.of(process_id)
        while time.monotonic() < end and program.process.poll() is None:
            data = mutated(source.choice(files), source)
            answer, wrong = problem(program.url, process_id, data, start.memory)
            verdicts[answer] += 1
            if wrong:
                failures += 1
                arguments.failures.mkdir(parents=True, exist_ok=True)
                path = arguments.failures / hashlib.sha256(data).hexdigest()[:16]
                path.write_bytes(data)
                print(f"{path}: {wrong}", flush=True)
        if program.process.poll() is not None:
            failures += 1
            print(f"clip ended with status {program.process.returncode}:\n{program.output()[-2000:]}")
        else:
            print(f"before {start}\nafter  {Census.of(process_id)}")
    print(f"{verdicts.total():,} files, {failures} failures: {dict(verdicts.most_common())}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
