"""Good traffic for a long time beside a little of every attack: python -m tests.hardening.soak --minutes 10

It starts an application of its own. In the end every good request must have been answered 200 and rightly, no function
may have been started again, and what the functions hold must be what they held after the first minute: memory,
processes, threads, descriptors, zombies, and files in the folder for temporary files and in /dev/shm. For that, all
clients pause, up to ten times, until what was under way is over. Then the functions are looked at; the medians of the
first and of the last third of these looks are compared.
"""

import argparse
import itertools
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path
from statistics import median
from threading import Condition, Event, Lock, Thread
from typing import Any

import psutil
import requests

from tests.hardening.nuisances import KINDS, Nuisance, attackers
from tests.hardening.traffic import LARGE, Good, good_traffic
from tests.launch import Running, local
from tests.processes import MEGABYTE

CLIENTS = 8
FUNCTIONS = ("index", "clip")
MOST_REQUESTS = 1_000_000
WARM_UP = 60.0
"""Seconds until the first look."""
GROWTH = 0.05
"""The share of its memory that a function may hold more in the last third of the looks than in the first ..."""
SPARE_MEMORY = 32 * MEGABYTE
"""... or so many bytes, if these are more: what allocators keep of the largest moments, between what is in use.

With as many Python objects as before, ``index`` had 10 MB more in unused pools of Python's allocator after 4 minutes,
and 6 MB more in glibc's. With 100,000 requests 32 MB are 335 bytes for each: no more than their headers have.
"""
SPARE = 4
"""Descriptors that may be more or fewer: connections that are kept for the next request."""
_LOOKS, _SLICE = 10, 20.0
_SAMPLES, _SETTLING = 5, 2.0
_EXAMPLES = 10
# In seconds: more than any request may take.
_LONGEST_REQUEST = 70.0
_MOST_MORE = 120.0
_RIGHT = "200"
_ALONE = "JPEG to clip, all others being quiet"
# A 504 costs the attacker alone; the table has it.
_FAILURES = ("500", "502")
_SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Held:
    """What a function holds: sums over its processes."""

    memory: int
    """Bytes of their own (PSS of what is not a file's): what other programs on this computer do does not change it."""
    resident: int
    """Bytes (RSS), those of libraries included, and what processes share as often as they do."""
    descriptors: int
    threads: int
    processes: int
    zombies: int

    @classmethod
    def of(cls, process: psutil.Process) -> "Held":
        """Of this process and its descendants."""
        memory = resident = descriptors = threads = zombies = 0
        processes = [process, *process.children(recursive=True)]
        for each in processes:
            with suppress(psutil.Error, OSError):  # it has ended
                zombies += each.status() == psutil.STATUS_ZOMBIE
                memory += _own_memory(each)
                threads += each.num_threads()
                resident += each.memory_info().rss
                descriptors += each.num_fds()
        return cls(memory, resident, descriptors, threads, len(processes), zombies)

    @classmethod
    def middle(cls, samples: Sequence["Held"]) -> "Held":
        """The median of each."""
        return cls(*(round(median(values)) for values in zip(*map(astuple, samples), strict=True)))

    def __str__(self) -> str:
        sizes = f"{self.memory / MEGABYTE:6.1f} MB ({self.resident / MEGABYTE:6.1f} resident)"
        return f"{sizes} {self.descriptors:3} descriptors {self.threads:3} threads {self.processes} processes"


@dataclass(frozen=True)
class Look:
    """What there was when nothing was under way."""

    seconds: float
    """Since the start."""
    sent: int
    """Good requests until then."""
    held: Mapping[str, Held]
    """By function."""
    files: int
    """Temporary ones, and shared memory."""

    @classmethod
    def middle(cls, looks: Sequence["Look"]) -> "Look":
        """The median of each number: what a function holds depends a little on what it has just done."""
        held = {name: Held.middle([look.held[name] for look in looks]) for name in looks[0].held}
        numbers = zip(*((look.seconds, look.sent, look.files) for look in looks), strict=True)
        seconds, sent, files = map(median, numbers)
        return cls(seconds, round(sent), held, round(files))

    def __str__(self) -> str:
        held = "".join(f"\n  {name:5} {each}" for name, each in self.held.items())
        return f"after {self.seconds:.0f} s and {self.sent:,} good requests, {self.files} files:{held}"

    def grown_into(self, later: "Look") -> list[str]:
        """What is more later than it may be."""
        found = []
        for name, before in self.held.items():
            after = later.held[name]
            for kind, less, more in (("", before.memory, after.memory), (" resident", before.resident, after.resident)):
                if more > less + max(less * GROWTH, SPARE_MEMORY):
                    found.append(f"{name} grew from {less / MEGABYTE:.1f} to {more / MEGABYTE:.1f} MB{kind}")
            if after.descriptors > before.descriptors + SPARE:
                found.append(f"{name} has {after.descriptors} descriptors, and had {before.descriptors}")
            if after.threads > before.threads or after.processes > before.processes:
                had = f"{before.threads} in {before.processes}"
                found.append(f"{name} has {after.threads} threads in {after.processes} processes, and had {had}")
            if after.zombies:
                found.append(f"{name} has {after.zombies} zombies")
        if later.files > self.files:
            found.append(f"there are {later.files} files, and were {self.files}")
        return found


@dataclass
class Tally:
    """How the requests of one kind were answered."""

    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def add(self, answer: str, seconds: float) -> None:
        self.answers[answer] += 1
        self.slowest = max(self.slowest, seconds)


class Gate:
    """Lets clients begin requests while it is open, and knows how many are under way."""

    def __init__(self) -> None:
        self.closing = Event()
        """Ends early what is held for its own sake."""
        self.closing.set()
        self._changed = Condition()
        self._under_way = 0
        self._is_over = False

    @contextmanager
    def request(self) -> Iterator[bool]:
        """Wait until it is open; gives False when all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or not self.closing.is_set())
            self._under_way += 1
        try:
            yield not self._is_over
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def open(self) -> None:
        with self._changed:
            self.closing.clear()
            self._changed.notify_all()

    def close(self, *, for_ever: bool = False) -> bool:
        """Close it and wait for what is under way. Returns whether that has ended."""
        with self._changed:
            self.closing.set()
            self._is_over = self._is_over or for_ever
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._under_way == 0, _LONGEST_REQUEST)


class Soak:
    """The clients, the attackers, and what came of them.

    Args:
        program: the application; ``folder`` is the one for its temporary files.
        most: of good requests.
        seed: another one gives other attacks.
        large: the formats of good photos of 12 megapixels.
    """

    def __init__(
        self,
        program: Running,
        folder: Path,
        most: int = MOST_REQUESTS,
        seed: int = 0,
        large: Sequence[str] = LARGE,
    ) -> None:
        self.program = program
        self.folder = folder
        self._most = most
        self._seed = seed
        self._large = large
        self._gate = Gate()
        self._lock = Lock()
        self._begun = time.monotonic()
        self._interrupted = False
        self._made: set[tuple[str, str]] = set()
        self.good: dict[str, Tally] = defaultdict(Tally)
        self.attacks: dict[str, Tally] = defaultdict(Tally)
        self.looks: list[Look] = []
        self.wrong: list[str] = []
        """What good requests got instead of their answers: the first few."""

    @property
    def sent(self) -> int:
        """How many good requests were answered, or not."""
        return sum(tally.answers.total() for tally in self.good.values())

    def run(self, seconds: float, say: Callable[[str], None]) -> None:
        """Send for so long, or until there were so many; ``say`` is told of each look at the functions."""
        good = good_traffic(self._large)
        with requests.Session() as session:
            alone = {one: self._require(one, session) for one in good}
        threads = [Thread(target=self._client, args=(number, alone), daemon=True) for number in range(CLIENTS)]
        threads += [Thread(target=self._attack, args=each, daemon=True) for each in attackers(self._seed)]
        for thread in threads:
            thread.start()
        say(f"{len(good)} kinds of good requests were answered alone; all clients begin.")
        self._begun = time.monotonic()
        first = min(WARM_UP, seconds / 3)
        slices = max(1, min(_LOOKS, round((seconds - first) / _SLICE)))
        try:
            self._send(first, until=self._has_done_everything)
            self._look(alone, say)
            for _ in range(slices):
                self._send((seconds - first) / slices)
                self._look(alone, say)
        except BaseException:
            self._interrupted = True
            raise
        finally:
            self._gate.close(for_ever=True)

    def _send(self, seconds: float, until: Callable[[], bool] = lambda: True) -> None:
        """Let the clients send for so long, and on until this is true, but not for ever."""
        self._gate.open()
        began = time.monotonic()
        while self.sent < self._most and (elapsed := time.monotonic() - began) < seconds + _MOST_MORE:
            if elapsed > seconds and until():
                break
            time.sleep(0.1)
        self._gate.close()

    def _has_done_everything(self) -> bool:
        """Whether each kind of attack was made on each function: what they keep of it, they have then."""
        with self._lock:
            return len(self._made) == len(KINDS) * len(FUNCTIONS)

    def _require(self, good: Good, session: requests.Session) -> object:
        answer = good.send(session, self.program.url)
        assert answer.status_code == 200, f"{good.name} to {good.function}: {answer.status_code} {answer.text[:500]}"
        return good.gist(answer)

    def _client(self, number: int, alone: Mapping[Good, object]) -> None:
        source = random.Random(self._seed + number)
        kinds, shares = list(alone), [one.share for one in alone]
        with requests.Session() as session:
            while True:
                with self._gate.request() as may:
                    if not may:
                        return
                    [good] = source.choices(kinds, shares)
                    began = time.monotonic()
                    said = self._ask(good, session, alone[good])
                    if not self._interrupted:
                        self._count(self.good[f"{good.name} to {good.function}"], said, began)

    def _ask(self, good: Good, session: requests.Session, expected: object) -> str:
        try:
            answer = good.send(session, self.program.url)
            if answer.status_code == 200 and good.gist(answer) == expected:
                return _RIGHT
            said = "200, wrong" if answer.status_code == 200 else str(answer.status_code)
            self.wrong.append(f"{good.name} to {good.function}: {said}: {answer.text[:300]}")
        except (requests.RequestException, LookupError, ValueError, TypeError) as error:
            said = "no answer"
            self.wrong.append(f"{good.name} to {good.function}: {error!r}")
        return said

    def _attack(self, kinds: Iterator[tuple[str, Nuisance]], pause: float) -> None:
        turns = {name: itertools.cycle(FUNCTIONS) for name in KINDS}
        for name, attack in kinds:
            function = next(turns[name])
            with self._gate.request() as may:
                if not may:
                    return
                began = time.monotonic()
                said = attack(f"{self.program.url}/function/{function}", self._gate.closing)
                if not self._interrupted:
                    self._count(self.attacks[name], said, began)
                    self._made.add((name, function))
            time.sleep(pause)

    def _count(self, tally: Tally, said: str, began: float) -> None:
        with self._lock:
            tally.add(said, time.monotonic() - began)

    def _look(self, alone: Mapping[Good, object], say: Callable[[str], None]) -> None:
        self._fill_decoders(alone)
        time.sleep(_SETTLING)
        samples = []
        for _ in range(_SAMPLES):
            samples.append({name: Held.of(process) for name, process in self._functions().items()})
            time.sleep(_SETTLING / _SAMPLES)
        held = {name: Held.middle([sample[name] for sample in samples if name in sample]) for name in FUNCTIONS}
        files = sum(1 for _ in self.folder.rglob("*")) + sum(1 for _ in _shared_memory())
        self.looks.append(Look(time.monotonic() - self._begun, self.sent, held, files))
        say(str(self.looks[-1]))

    def _fill_decoders(self, alone: Mapping[Good, object]) -> None:
        """Small photos at the same time, so that each decoder is there which an attack has ended."""
        good = next(one for one in alone if one.name == "JPEG")
        with requests.Session() as session, ThreadPoolExecutor(CLIENTS) as pool:
            for said in pool.map(lambda _: self._ask(good, session, alone[good]), range(2 * CLIENTS)):
                self._count(self.good[_ALONE], said, time.monotonic())

    def _functions(self) -> dict[str, psutil.Process]:
        children = psutil.Process(self.program.process.pid).children()
        return {child.cmdline()[3]: child for child in children}

    def problems(self) -> list[str]:
        """The promises that are broken; none is what it is all about."""
        output = self.program.output()
        found = [
            f"{name}: {dict(tally.answers)}" for name, tally in self.good.items() if set(tally.answers) != {_RIGHT}
        ]
        found += self.wrong[:_EXAMPLES]
        for name, tally in self.attacks.items():
            if failures := {said: count for said, count in tally.answers.items() if said[:3] in _FAILURES}:
                found.append(f"{name}: {failures}")
        found += re.findall(r"^.*\n\w+ ended with status .*$", output, re.MULTILINE)
        if "Traceback" in output:
            found.append(f"a stack trace in the log: {output.partition('Traceback')[2][:1000]}")
        some = max(1, len(self.looks) // 3)
        return found + Look.middle(self.looks[:some]).grown_into(Look.middle(self.looks[-some:]))


def _own_memory(process: psutil.Process) -> int:
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return sum(int(size) * 1024 for size in re.findall(r"^Pss_(?:Anon|Shmem): +(\d+) kB$", rollup, re.MULTILINE))


def _shared_memory() -> Iterator[Path]:
    """Files of shared memory; a browser's, which begin with a dot, are not the application's."""
    return (path for path in _SHARED_MEMORY.glob("[!.]*"))


@contextmanager
def soaking(**options: Any) -> Iterator[Soak]:
    """An application of its own, with these options of ``Soak``."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        before = os.environ.get("TMPDIR")
        os.environ["TMPDIR"] = folder
        try:
            with local() as program:
                yield Soak(program, Path(folder), **options)
        finally:
            os.environ.pop("TMPDIR")
            os.environ.update({"TMPDIR": before} if before else {})


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--requests", type=int, default=MOST_REQUESTS, metavar="N", help="stop after N good ones")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    _say(f"seed {arguments.seed}")
    try:
        with soaking(most=arguments.requests, seed=arguments.seed) as soak:
            try:
                soak.run(60 * arguments.minutes, _say)
                problems = soak.problems()
            finally:
                _say(table("good requests", soak.good))
                _say(table("attacks", soak.attacks))
    except KeyboardInterrupt:
        _say("Interrupted.")
        return 130
    _say("\n".join(f"BROKEN: {problem}" for problem in problems) or "Every promise was kept.")
    return 1 if problems else 0


def _say(line: str) -> None:
    print(line, flush=True)


def table(title: str, tallies: Mapping[str, Tally]) -> str:
    """What was sent and how it was answered, a line for each kind."""
    lines = [f"{title:40} {'sent':>8} {'slowest':>8}  answered"]
    for name, tally in tallies.items():
        said = ", ".join(f"{answer}: {count:,}" for answer, count in tally.answers.most_common())
        lines.append(f"{name:40} {tally.answers.total():8,} {tally.slowest:6.1f} s  {said}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
