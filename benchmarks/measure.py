"""What is measured, phase by phase. Variants take turns, so that a change of the machine's pace meets them all."""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .client import BUSY_CLIENTS, RATE, Answer, Client, load
from .engine import images_per_second, limit
from .photos import LARGE, SMALL, photo
from .quiet import Pair
from .server import Server, serving
from .variants import Variant

ROUNDS = 8
ERROR = "error: "
LIMIT = "processor's limit, images/s"
_STARTS = 3
# Of one variant in one round.
_SMALL_PHOTOS, _LARGE_PHOTOS, _LOAD_SECONDS, _ENGINE_SECONDS = 12, 2, 2.0, 0.7
# The first requests after another variant's turn find the processor's caches cold.
_DROPPED = 2
# To a variant that loads its model on every request, all in all.
_FEW = 3
# The cores of each replica.
_REPLICAS = {"one on one core": ((0,),), "one on two cores": ((0, 1),), "two on one core each": ((0,), (1,))}

Samples = defaultdict[str, list[float]]
"""What was measured of one variant, by name: milliseconds, images a second, MB (10⁶ bytes), or 1 for an error."""

_say = partial(print, file=sys.stderr, flush=True)


class Spread(NamedTuple):
    p50: float
    p99: float
    number: int


def spreads(samples: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """Medians, 99th percentiles and numbers of samples."""
    p50, p99 = ({name: round(float(np.percentile(samples[name], q)), 2) for name in samples} for q in (50, 99))
    return {name: Spread(p50[name], p99[name], len(samples[name])) for name in samples}


def take(samples: Samples, name: str, answers: Sequence[Answer]) -> None:
    """Add requests: each one's time, what the server spent it on, and what is left beside the forward pass."""
    for seconds, problem, stages in answers:
        if problem is not None:
            samples[ERROR + problem].append(1)
            continue
        samples[name].append(seconds * 1000)
        for stage, spent in stages.items():
            samples[f"{name}: {stage}"].append(spent * 1000)
        if stages:
            samples[f"{name}: beside inference"].append((seconds - stages["inference"]) * 1000)


class Benchmark:
    """One run: the variants, put together once, and the photos that all of them are sent."""

    def __init__(self, variants: Sequence[Variant], rounds: int, build: Path) -> None:
        self._variants = variants
        self._rounds = rounds
        self._samples = {variant.key: Samples(list) for variant in variants}
        self._folders = {variant.key: variant.assemble(build) for variant in variants}
        self._small = [photo(SMALL, seed) for seed in range(4)]
        self._large = [photo(LARGE, seed) for seed in range(2)]

    def run(self) -> dict[str, dict[str, Spread]]:
        """Measure everything, which takes a while; by the variants' keys.

        Raises:
            ServerFailed: a variant does not start.
        """
        lasting = [variant for variant in self._variants if variant.loads_once]
        for turn in range(_STARTS):
            _say(f"start of the process to the first answer, {turn + 1} of {_STARTS}")
            for variant in lasting:
                with self._serving(variant) as server:
                    if turn > 0:  # the first time fills the system's file cache
                        self._samples[variant.key]["start"].append(server.start_seconds * 1000)
        with ExitStack() as stack:
            running = [(variant, stack.enter_context(self._serving(variant))) for variant in lasting]
            for turn in range(self._rounds):
                _say(f"round {turn + 1} of {self._rounds}")
                for variant, server in running:
                    self._measure(variant, server)
        for variant in self._variants:
            if not variant.loads_once:
                _say(f"a few requests to: {variant.title}")
                with self._serving(variant) as server, closing(Client(server.port)) as client:
                    take(self._samples[variant.key], "small", [client.post(self._small[0]) for _ in range(_FEW)])
                    self._samples[variant.key]["memory"].append(server.peak())
        return {key: spreads(samples) for key, samples in self._samples.items()}

    def _measure(self, variant: Variant, server: Server) -> None:
        samples = self._samples[variant.key]
        with closing(Client(server.port)) as client:
            for name, photos, count in (("small", self._small, _SMALL_PHOTOS), ("large", self._large, _LARGE_PHOTOS)):
                answers = [client.post(photos[i % len(photos)]) for i in range(count + _DROPPED)]
                take(samples, name, answers[_DROPPED:])
        busy = load(server.port, self._small, BUSY_CLIENTS, _LOAD_SECONDS)
        take(samples, "busy", busy.answers)
        samples[RATE].append(busy.per_second)
        samples["memory"].append(server.peak())
        if not variant.is_baseline:
            for batch, rate in images_per_second(variant, _ENGINE_SECONDS).items():
                samples[f"engine, batches of {batch}"].append(rate)
            samples[LIMIT].append(limit(variant, _ENGINE_SECONDS))

    def halves(self) -> list[Pair]:
        """Medians of the rounds' first and second half, by variant and by what was measured; none of a single round."""
        found = []
        for variant in self._variants:
            for name in ("small", RATE):
                values = self._samples[variant.key].get(name, [])
                if self._rounds > 1 and variant.loads_once and len(values) > 1:
                    first, second = (float(np.median(half)) for half in np.array_split(values, 2))
                    found.append((f"{variant.title}, {name}", first, second))
        return found

    def replicas(self, variant: Variant) -> dict[str, tuple[float, float]]:
        """Images a second of ``BUSY_CLIENTS``, and MB of peak memory, for each way to put replicas on two cores."""
        found = {}
        for name, replicas in _REPLICAS.items():
            _say(f"replicas: {name}")
            with ExitStack() as stack:
                servers = [stack.enter_context(self._serving(variant, cores)) for cores in replicas]
                clients, seconds = BUSY_CLIENTS // len(servers), self._rounds * _LOAD_SECONDS
                run = partial(load, photos=self._small, clients=clients, seconds=seconds)
                with ThreadPoolExecutor() as pool:
                    rate = sum(result.per_second for result in pool.map(run, [server.port for server in servers]))
                found[name] = (round(rate, 2), round(sum(server.peak() for server in servers), 2))
        return found

    def _serving(self, variant: Variant, cores: Sequence[int] | None = None) -> AbstractContextManager[Server]:
        return serving(self._folders[variant.key], variant.variables(), self._small[0], cores)
