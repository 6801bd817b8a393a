"""What is measured, phase by phase. Variants take turns, so that a change of the machine's pace meets them all."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .client import BUSY_CLIENTS, Answer, Client, Load, load
from .engine import images_per_second
from .photos import LARGE, SMALL, photo
from .server import Server, serving
from .variants import Variant

# The first requests after another variant's turn find the processor's caches cold.
_DROPPED = 2
REPLICAS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "one on one core": ((0,),),
    "one on two cores": ((0, 1),),
    "two on one core each": ((0,), (1,)),
}
"""The cores of each replica."""


@dataclass(frozen=True)
class Plan:
    """``small`` and ``large`` photos are those that one variant is sent in one of the ``rounds``."""

    starts: int
    rounds: int
    small: int
    large: int
    load_rounds: int
    load_seconds: float
    engine_seconds: float
    original: int


FULL = Plan(
    starts=2, rounds=8, small=12, large=2, load_rounds=3, load_seconds=4, engine_seconds=1.5, original=3
)  # fmt: skip
QUICK = Plan(
    starts=1, rounds=1, small=3, large=1, load_rounds=1, load_seconds=0.5, engine_seconds=0.2, original=1
)  # fmt: skip


@dataclass
class Measured:
    """One variant. Times are seconds, memory is MB (10⁶ bytes). What was not measured stays empty."""

    variant: Variant
    starts: list[float] = field(default_factory=list)
    small: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)
    small_stages: list[Mapping[str, float]] = field(default_factory=list)
    large_stages: list[Mapping[str, float]] = field(default_factory=list)
    """What the server spent the time of each of them on."""
    load: Load = field(default_factory=Load)
    """Of ``BUSY_CLIENTS``."""
    engine: dict[str, list[float]] = field(default_factory=dict)
    """Images a second without a server, by the size of the batch."""
    peak: float | None = None
    """Of the server under load, and what its decoders take."""
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def beside(self) -> list[float]:
        """Of each small photo, what its request took beside the forward pass."""
        return [whole - parts["inference"] for whole, parts in zip(self.small, self.small_stages, strict=True) if parts]

    def summary(self) -> dict[str, Any]:
        """For JSON; times in milliseconds."""
        return {
            "title": self.variant.title,
            "processor": self.variant.processor,
            "start_to_first_200": spread(self.starts),
            "http_640x480": spread(self.small),
            "http_12_megapixels": spread(self.large),
            "beside_the_forward_pass": spread(self.beside),
            "stages_of_640x480": medians(self.small_stages),
            "stages_of_12_megapixels": medians(self.large_stages),
            "load": {"images_per_second": round(self.load.per_second, 2), **(spread(self.load.latencies) or {})},
            "engine_alone_images_per_second": {way: np.round(rates, 2).tolist() for way, rates in self.engine.items()},
            "peak_memory_mb": self.peak,
            "errors": dict(self.errors),
        }


class Benchmark:
    """One run: the variants, put together once, and the photos that all of them are sent."""

    def __init__(self, variants: Sequence[Variant], plan: Plan, build: Path) -> None:
        self._plan = plan
        self._results = [Measured(variant) for variant in variants]
        self._folders = {variant.key: variant.assemble(build) for variant in variants}
        self._small = [photo(SMALL, seed) for seed in range(4)]
        self._large = [photo(LARGE, seed) for seed in range(2)]

    def run(self) -> list[Measured]:
        """Measure everything. This takes a while.

        Raises:
            ServerFailed: a variant does not start.
        """
        lasting = [result for result in self._results if result.variant.loads_once]
        self._starts(lasting)
        with ExitStack() as stack:
            running = [(result, stack.enter_context(self._serving(result.variant))) for result in lasting]
            self._latencies(running)
            self._loads(running)
        self._originals([result for result in self._results if result not in lasting])
        return self._results

    def replicas(self, variant: Variant) -> dict[str, tuple[float, float]]:
        """Images a second of ``BUSY_CLIENTS``, and MB of memory, for each way to put replicas on two cores."""
        found = {}
        for name, replicas in REPLICAS.items():
            _say(f"replicas: {name}")
            with ExitStack() as stack:
                servers = [stack.enter_context(self._serving(variant, cores)) for cores in replicas]
                seconds = self._plan.load_rounds * self._plan.load_seconds

                def run(server: Server, clients: int = BUSY_CLIENTS // len(servers), seconds: float = seconds) -> float:
                    return load(server, self._small, clients, seconds=seconds).per_second

                with ThreadPoolExecutor() as pool:
                    rate = sum(pool.map(run, servers))
                found[name] = (rate, sum(server.peak() or 0 for server in servers))
        return found

    def _serving(self, variant: Variant, cores: Sequence[int] | None = None) -> AbstractContextManager[Server]:
        return serving(self._folders[variant.key], variant.variables(), self._small[0], cores)

    def _starts(self, results: Sequence[Measured]) -> None:
        for turn in range(self._plan.starts + 1):
            _say(f"start of the process to the first answer, {turn} of {self._plan.starts}")
            for result in results:
                with self._serving(result.variant) as server:
                    if turn > 0:  # the first time fills the system's file cache
                        result.starts.append(server.start_seconds)

    def _latencies(self, running: Sequence[tuple[Measured, Server]]) -> None:
        for turn in range(self._plan.rounds):
            _say(f"one client, round {turn + 1} of {self._plan.rounds}")
            for result, server in running:
                with Client(server) as client:
                    for photos, count, into, stages in (
                        (self._small, self._plan.small, result.small, result.small_stages),
                        (self._large, self._plan.large, result.large, result.large_stages),
                    ):
                        answers = [_post(client, result, photos[i % len(photos)]) for i in range(count + _DROPPED)]
                        right = [answer for answer in answers[_DROPPED:] if answer]
                        into += [answer.seconds for answer in right]
                        stages += [answer.stages for answer in right]

    def _loads(self, running: Sequence[tuple[Measured, Server]]) -> None:
        for turn in range(self._plan.load_rounds):
            _say(f"{BUSY_CLIENTS} clients, round {turn + 1} of {self._plan.load_rounds}")
            for result, server in running:
                run = load(server, self._small, BUSY_CLIENTS, seconds=self._plan.load_seconds)
                result.errors += run.errors
                result.load.add(run)
                if not result.variant.is_baseline:
                    rates = images_per_second(result.variant, self._plan.engine_seconds)
                    for way, rate in rates.items():
                        result.engine.setdefault(way, []).append(rate)
        for result, server in running:
            result.peak = server.peak()

    def _originals(self, results: Sequence[Measured]) -> None:
        for result in results:
            _say(f"a few requests to: {result.variant.title}")
            with self._serving(result.variant) as server, Client(server) as client:
                answers = [_post(client, result, self._small[0]) for _ in range(self._plan.original)]
                result.small += [answer.seconds for answer in answers if answer]
                result.small_stages += [answer.stages for answer in answers if answer]
                result.peak = server.peak()


def percentile(seconds: Sequence[float], percent: float) -> float | None:
    """In milliseconds; None of nothing."""
    return float(np.percentile(seconds, percent)) * 1000 if seconds else None


def medians(stages: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each stage of requests, in milliseconds; of none where a server does not tell."""
    if not stages or not all(stages):
        return {}
    return {name: round(float(np.median([parts[name] for parts in stages])) * 1000, 2) for name in stages[0]}


def spread(seconds: Sequence[float]) -> dict[str, float] | None:
    """Median and 99th percentile in milliseconds, and of how many."""
    if not seconds:
        return None
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2), "count": len(seconds)}


def _post(client: Client, result: Measured, body: bytes) -> Answer | None:
    answer = client.post(body)
    if answer.problem is None:
        return answer
    result.errors[answer.problem] += 1
    return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
