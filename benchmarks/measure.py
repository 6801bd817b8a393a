"""The measurements, phase by phase. Variants take turns, so that a change of the machine's speed affects them all."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from urllib.parse import quote_plus

from backend.clip.export.cifar100 import LABELS
from backend.clip.manifest import Manifest

from .client import Answer, Client, load
from .engine import images_per_second, megabytes
from .forward import forwarding
from .photos import LARGE, SMALL, photo
from .plan import BUSY_CLIENTS, Measured, Plan
from .server import Server, serving
from .variants import Variant

# The first requests after another variant's turn find the processor's caches cold.
_DROPPED = 2
_MOODS = ("big", "small", "old", "new", "wet", "dry", "red", "blue", "broken", "shiny")

Running = list[tuple[Measured, Server]]


class Benchmark:
    """One run: the variants, put together once, and the photos that all of them are sent."""

    def __init__(self, variants: Sequence[Variant], plan: Plan, build: Path) -> None:
        self._plan = plan
        self._results = [Measured(variant) for variant in variants]
        self._folders = {variant.key: variant.assemble(build) for variant in variants}
        self._small = [photo(SMALL, seed) for seed in range(4)]
        self._large = [photo(LARGE, seed) for seed in range(2)]

    def run(self) -> list[Measured]:
        """Measure everything, which takes a while.

        Raises:
            ServerFailed: a variant does not start.
        """
        lasting = [result for result in self._results if result.variant.loads_once]
        self._starts(lasting)
        with ExitStack() as stack:
            running = [(result, stack.enter_context(self._serving(result.variant))) for result in lasting]
            ours = [(result, server) for result, server in running if result.variant.is_ours]
            self._latencies(running)
            self._loads(running)
            self._steady(ours[:1])  # with ViT-B/32 this alone takes more than half of the time
            for result, server in running:
                memory = server.memory()
                result.peak, result.private = memory.peak, memory.private
                result.start_peak = server.start_peak
            self._labels(ours)
        self._originals([result for result in self._results if result not in lasting])
        return self._results

    def _serving(self, variant: Variant) -> AbstractContextManager[Server]:
        return serving(self._folders[variant.key], variant.variables(), self._small[0])

    def _starts(self, results: Sequence[Measured]) -> None:
        for turn in range(self._plan.starts + 1):
            _say(f"start of the process to the first answer, {turn} of {self._plan.starts}")
            for result in results:
                with self._serving(result.variant) as server:
                    if turn > 0:  # the first time fills the system's file cache
                        result.starts.append(server.start_seconds)

    def _latencies(self, running: Running) -> None:
        with ExitStack() as stack:
            engines = [
                stack.enter_context(forwarding(self._folders[key], result.variant.variables()))
                for result, _ in running
                for key in [result.variant.key]
            ]
            for turn in range(self._plan.rounds):
                _say(f"one client, round {turn + 1} of {self._plan.rounds}")
                for (result, server), forward in zip(running, engines, strict=True):
                    with Client(server) as client:
                        for photos, count, into, stages in (
                            (self._small, self._plan.small, result.small, result.small_stages),
                            (self._large, self._plan.large, result.large, result.large_stages),
                        ):
                            answers = [_post(client, result, photos[i % len(photos)]) for i in range(count + _DROPPED)]
                            right = [answer for answer in answers[_DROPPED:] if answer]
                            into += [answer.seconds for answer in right]
                            stages += [answer.stages for answer in right]
                    result.forward += forward(self._plan.forward + _DROPPED)[_DROPPED:]

    def _loads(self, running: Running) -> None:
        for turn in range(self._plan.load_rounds):
            for clients in self._plan.clients:
                _say(f"clients: {clients}, round {turn + 1} of {self._plan.load_rounds}")
                for result, server in running:
                    run = load(server, self._small, clients, seconds=self._plan.load_seconds)
                    result.errors += run.errors
                    result.loads.setdefault(clients, type(run)()).add(run)
            for result, _ in running:
                if result.variant.is_ours:
                    for way, rate in images_per_second(result.variant.model, self._plan.engine_seconds).items():
                        result.engine.setdefault(way, []).append(rate)
        for result, _ in running:
            if result.variant.is_ours:
                result.engine_memory = megabytes(result.variant.model)

    def _steady(self, running: Running) -> None:
        for result, server in running:
            _say(f"{self._plan.steady} requests of {BUSY_CLIENTS} clients to {result.variant.title}")
            result.memory_before = server.memory().now
            result.steady = load(server, self._small, BUSY_CLIENTS, requests=self._plan.steady)
            result.memory_after = server.memory().now
            result.errors += result.steady.errors

    def _labels(self, running: Running) -> None:
        for result, server in running:
            if Manifest.read(result.variant.model).vocabulary == "closed":
                continue
            _say(f"1,000 labels to {result.variant.title}")
            body = self._small[0]
            with Client(server) as client:
                for turn in range(self._plan.label_rounds):
                    labels = [f"{mood} {label} {turn}" for mood in _MOODS for label in LABELS]
                    target = f"/?labels={quote_plus(','.join(labels))}"
                    for into, to in (
                        (result.labels_first, target),
                        *((result.labels_again, target), (result.labels_none, "/")) * self._plan.small,
                    ):
                        if answer := _post(client, result, body, to):
                            into.append(answer.seconds)
            result.peak_with_labels = server.memory().peak

    def _originals(self, results: Sequence[Measured]) -> None:
        for result in results:
            _say(f"a few requests to {result.variant.title}")
            with self._serving(result.variant) as server, Client(server) as client:
                answers = [_post(client, result, self._small[0]) for _ in range(self._plan.original)]
                result.small += [answer.seconds for answer in answers if answer]
                result.peak = server.memory().peak


def _post(client: Client, result: Measured, body: bytes, target: str = "/") -> Answer | None:
    answer = client.post(body, target)
    if answer.problem is None:
        return answer
    result.errors[answer.problem] += 1
    return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
