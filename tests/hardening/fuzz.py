"""Broken files at length: python -m tests.hardening.fuzz --minutes 30 --failures FOLDER

Real files with changed bytes, files whose pieces were changed and put together again, and requests as no client would
write them. What gets no ranking and no typed error, takes longer than a decoder may, or makes the memory grow over what
the limits imply is saved in the folder.
"""

import argparse
import hashlib
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.functions import clip
from tests.hardening.bystander import ask
from tests.hardening.samples import mutated, real_files
from tests.hardening.structure import Mutator
from tests.hardening.wild import Wild, judge, send
from tests.launch import Running
from tests.processes import MEGABYTE, Census, Watch

SLOW = 7.5
"""Seconds: the deadline of a decoder, the lane before the slow one, and a margin for a busy machine."""
MOST_MEMORY = 1000 * MEGABYTE
"""Bytes over those at the start: what one decoder may take, and the request."""


@dataclass(frozen=True)
class Outcome:
    kind: str
    verdict: str
    seconds: float
    memory: int
    """Bytes over those at the start."""
    data: bytes
    """What was sent."""
    trouble: str = ""

    @property
    def problem(self) -> str:
        """What is wrong, or ""."""
        if self.trouble:
            return self.trouble
        if self.seconds > SLOW:
            return f"took {self.seconds:.1f} s"
        if self.memory > MOST_MEMORY:
            return f"took {self.memory // MEGABYTE} MB"
        return ""


class Fuzzer:
    """Posts mutated files to a running ``clip``; the same source of randomness gives the same files."""

    def __init__(self, program: Running, source: random.Random) -> None:
        self._program = program
        self._source = source
        self._files = list(real_files().values())
        self._mutator = Mutator(source)
        self._wild = Wild(source)
        self._start = Census.of(program.process.pid).memory

    def run(self) -> Iterator[Outcome]:
        """One outcome after the other, for as long as the program runs."""
        while self._program.process.poll() is None:
            kind = self._source.choices(("structure", "bytes", "request"), (6, 3, 1))[0]
            if kind == "structure":
                kind, data = self._mutator.file()
                yield self._post(kind, data)
            elif kind == "bytes":
                yield self._post(kind, mutated(self._source.choice(self._files), self._source))
            else:
                yield self._request()

    def _post(self, kind: str, data: bytes) -> Outcome:
        start = time.monotonic()
        verdict, trouble = "failed", ""
        with Watch(self._program.process.pid) as memory:
            try:
                verdict = ask(self._program.url, data, timeout=6 * SLOW).verdict
            except (AssertionError, KeyError, ValueError) as error:
                trouble = f"no answer in the form of the contract: {error!r}"
        if verdict.startswith("no answer"):
            trouble = verdict
        return Outcome(kind, verdict, time.monotonic() - start, memory.peak - self._start, data, trouble)

    def _request(self) -> Outcome:
        request = self._wild.request()
        start = time.monotonic()
        try:
            verdict, trouble = str(judge(request, send(self._program.url, request, 6 * SLOW))), ""
        except Exception as error:  # whatever is not HTTP or not JSON
            verdict, trouble = "failed", f"no answer in the form of the contract: {error!r}"
        return Outcome("request", verdict, time.monotonic() - start, 0, request.wire, trouble)


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--failures", type=Path, default=Path("build/fuzz"), metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--model", type=Path, metavar="DIR", help="an exported model, not the bundled one")
    arguments = parser.parse_args()
    verdicts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failures, slowest, largest = 0, 0.0, 0
    end = time.monotonic() + 60 * arguments.minutes
    print(f"seed {arguments.seed}", flush=True)
    with clip(arguments.model) as program:
        start = Census.of(program.process.pid)
        for outcome in Fuzzer(program, random.Random(arguments.seed)).run():
            verdicts[outcome.verdict] += 1
            kinds[outcome.kind] += 1
            slowest, largest = max(slowest, outcome.seconds), max(largest, outcome.memory)
            if outcome.problem:
                failures += 1
                arguments.failures.mkdir(parents=True, exist_ok=True)
                path = arguments.failures / hashlib.sha256(outcome.data).hexdigest()[:16]
                path.write_bytes(outcome.data)
                print(f"{path}: {outcome.kind}: {outcome.problem}", flush=True)
            if time.monotonic() > end:
                break
        if program.process.poll() is not None:
            failures += 1
            print(f"clip ended with status {program.process.returncode}:\n{program.output()[-2000:]}")
        else:
            print(f"before {start}\nafter  {Census.of(program.process.pid)}")
        if "Traceback" in program.output():
            failures += 1
            print(f"a traceback in the log: {program.output().partition('Traceback')[2][:2000]}")
    print(f"slowest {slowest:.2f} s, largest +{largest // MEGABYTE} MB, kinds {dict(kinds.most_common())}")
    print(f"{verdicts.total():,} files and requests, {failures} failures: {dict(verdicts.most_common())}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
