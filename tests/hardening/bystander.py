"""A bystander, whose small photos must be answered in time during an attack, and the attackers."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from statistics import median
from threading import Event, Lock, Thread
from typing import Any

import requests

from tests.functions import verdict
from tests.pictures import encoded, photo

PHOTO = encoded(photo((640, 480)), "JPEG", quality=85)
PATIENCE = 2.0
"""Seconds within which the bystander has to be answered."""
ALONE = 0.1
"""An upper bound of the seconds that one photo takes on an idle machine."""
MOST_SLACK = 1.5
PERIOD = 0.5


@dataclass(frozen=True)
class Seen:
    """The answer to one request, and its duration in seconds."""

    verdict: str
    seconds: float
    retry_after: str | None = None


Body = bytes | Iterator[bytes] | list[tuple[str, str]]


def ask(url: str, data: Body = PHOTO, timeout: float = 60, **options: Any) -> Seen:
    """Post one body, or the fields of a form; an answer that is neither a ranking nor a typed error fails the test."""
    start = time.monotonic()
    try:
        answer = requests.post(url, data=data, timeout=timeout, **options)
    except requests.RequestException as error:
        return Seen(f"no answer: {type(error).__name__}", time.monotonic() - start)
    return Seen(verdict(answer), time.monotonic() - start, answer.headers.get("Retry-After"))


class Bystander:
    """Posts a photo of 60 KB twice a second while the block runs, whether or not the last one was answered.

    ``slack`` is how much slower than idle the machine was before the block, and what patience is multiplied with: 3 if
    a photo alone took three times ``ALONE``, or if six processes wanted each processor; at most ``MOST_SLACK``.
    """

    def __init__(self, url: str, query: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._options: dict[str, Any] = {"params": query or {}}
        self._stop = Event()
        self._thread = Thread(target=self._run)
        self._pool = ThreadPoolExecutor(64)
        self._lock = Lock()
        self.seen: list[Seen] = []
        self.slack = 1.0

    def __enter__(self) -> "Bystander":
        alone = [ask(self._url, **self._options) for _ in range(3)]
        assert {one.verdict for one in alone} == {"ranked"}
        crowd = os.getloadavg()[0] / (os.cpu_count() or 1) / 2
        self.slack = min(max(1.0, crowd, median(one.seconds for one in alone) / ALONE), MOST_SLACK)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        while True:
            self._pool.submit(self._ask)
            if self._stop.wait(PERIOD):
                return

    def _ask(self) -> None:
        seen = ask(self._url, **self._options)
        with self._lock:
            self.seen.append(seen)

    @property
    def slowest(self) -> float:
        return max(one.seconds for one in self.seen)

    def require_unharmed(self) -> None:
        """Requires that every photo was ranked in time."""
        assert Counter(one.verdict for one in self.seen) == {"ranked": len(self.seen)}
        assert self.slowest <= PATIENCE * self.slack, f"waited {self.slowest:.1f} s (slack {self.slack:.1f})"

    def __str__(self) -> str:
        verdicts = dict(Counter(one.verdict for one in self.seen))
        return f"{verdicts}, slowest {self.slowest:.2f} s (slack {self.slack:.1f})"


@dataclass
class Flood:
    """A number of clients that send one request after the other while the block runs; ``seen`` has the answers.

    ``attack`` is given how many requests were sent before.
    """

    clients: int
    attack: Callable[[int], Seen]
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> "Flood":
        self._stop = Event()
        self._numbers = iter(range(10**9))
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(self.clients)
        self._running = [self._pool.submit(self._run) for _ in range(self.clients)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for client in self._running:
            client.result()
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                number = next(self._numbers)
            seen = self.attack(number)
            with self._lock:
                self.seen.append(seen)

    def verdicts(self) -> Counter[str]:
        return Counter(one.verdict for one in self.seen)

    @property
    def slowest(self) -> float:
        return max(one.seconds for one in self.seen)

    def __str__(self) -> str:
        return f"{dict(self.verdicts())}, slowest {self.slowest:.2f} s"


def posting(url: str, bodies: Sequence[bytes], **options: Any) -> Callable[[int], Seen]:
    """An attack that posts these bodies in turn."""
    turn = cycle(bodies)
    return lambda _: ask(url, next(turn), **options)


def together(attacks: Sequence[Callable[[], Seen]]) -> list[Seen]:
    """Runs all at once, each in a client of its own."""
    with ThreadPoolExecutor(len(attacks)) as pool:
        return [running.result() for running in [pool.submit(attack) for attack in attacks]]
