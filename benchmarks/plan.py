"""How much is measured, and what comes out of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .client import Load
from .variants import Variant

BUSY_CLIENTS = 8


@dataclass(frozen=True)
class Plan:
    """``small`` and ``large`` photos and ``forward`` passes are those of one variant in one of the ``rounds``."""

    starts: int
    rounds: int
    small: int
    large: int
    forward: int
    clients: tuple[int, ...]
    load_rounds: int
    load_seconds: float
    engine_seconds: float
    steady: int
    """Requests in the long run, by ``BUSY_CLIENTS``."""
    label_rounds: int
    original: int


FULL = Plan(
    starts=5,
    rounds=12,
    small=15,
    large=3,
    forward=15,
    clients=(1, 2, 4, BUSY_CLIENTS, 16),
    load_rounds=2,
    load_seconds=3,
    engine_seconds=2,
    steady=10_000,
    label_rounds=3,
    original=5,
)
QUICK = Plan(
    starts=1,
    rounds=1,
    small=3,
    large=1,
    forward=2,
    clients=(1, BUSY_CLIENTS),
    load_rounds=1,
    load_seconds=0.5,
    engine_seconds=0.2,
    steady=20,
    label_rounds=1,
    original=1,
)


@dataclass
class Measured:
    """One variant. Times are seconds, memory is MB (10⁶ bytes); what was not measured stays empty."""

    variant: Variant
    starts: list[float] = field(default_factory=list)
    forward: list[float] = field(default_factory=list)
    """The image tower alone."""
    small: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)
    small_stages: list[Mapping[str, float]] = field(default_factory=list)
    large_stages: list[Mapping[str, float]] = field(default_factory=list)
    """What the server spent the time of each of them on."""
    loads: dict[int, Load] = field(default_factory=dict)
    """By the number of clients."""
    engine: dict[str, list[float]] = field(default_factory=dict)
    """Images a second without a server, by the way of using the engine."""
    engine_memory: tuple[float, float] | None = None
    """Of a process that computes one image at a time, and after a batch too."""
    steady: Load | None = None
    memory_before: float | None = None
    memory_after: float | None = None
    """Before and after the long run."""
    start_peak: float | None = None
    """Until the first answer."""
    peak: float | None = None
    """Since then, under load."""
    private: float | None = None
    """Without mapped files, at the end of the load."""
    peak_with_labels: float | None = None
    labels_none: list[float] = field(default_factory=list)
    labels_first: list[float] = field(default_factory=list)
    labels_again: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def best_engine(self) -> tuple[str, float] | None:
        """The way that gave the most images a second, and how many."""
        rates = {way: float(np.median(rates)) for way, rates in self.engine.items()}
        return max(rates.items(), key=lambda item: item[1]) if rates else None

    def summary(self) -> dict[str, Any]:
        """For JSON; times in milliseconds."""
        return {
            "title": self.variant.title,
            "start_to_first_200": spread(self.starts),
            "forward": spread(self.forward),
            "http_640x480": spread(self.small),
            "http_12_megapixels": spread(self.large),
            "stages_of_640x480": profile(self.small, self.small_stages),
            "stages_of_12_megapixels": profile(self.large, self.large_stages),
            "load": {
                clients: {"images_per_second": round(load.per_second, 2), **(spread(load.latencies) or {})}
                for clients, load in self.loads.items()
            },
            "engine_alone_images_per_second": {way: np.round(rates, 2).tolist() for way, rates in self.engine.items()},
            "long_run": None
            if self.steady is None
            else {"images_per_second": round(self.steady.per_second, 2), **(spread(self.steady.latencies) or {})},
            "memory_mb": {
                "before_long_run": self.memory_before,
                "after_long_run": self.memory_after,
                "peak_at_start": self.start_peak,
                "peak": self.peak,
                "private": self.private,
                "peak_with_1000_labels": self.peak_with_labels,
                "engine_alone_before_and_after_a_batch": self.engine_memory,
            },
            "labels": {
                "none": spread(self.labels_none),
                "1000_first_time": spread(self.labels_first),
                "1000_again": spread(self.labels_again),
            },
            "errors": dict(self.errors),
        }


def percentile(seconds: Sequence[float], percent: float) -> float | None:
    """In milliseconds; None of nothing."""
    return float(np.percentile(seconds, percent)) * 1000 if seconds else None


def profile(seconds: Sequence[float], stages: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each stage of requests in milliseconds, and of what is left of their ``seconds``."""
    if not stages or not all(stages):
        return {}
    rest = [whole - sum(parts.values()) for whole, parts in zip(seconds, stages, strict=True)]
    every = {name: [parts[name] for parts in stages] for name in stages[0]} | {"rest": rest}
    return {name: round(float(np.median(spent)) * 1000, 2) for name, spent in every.items()}


def spread(seconds: Sequence[float]) -> dict[str, float] | None:
    """Median and 99th percentile in milliseconds, and of how many."""
    if not seconds:
        return None
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2), "count": len(seconds)}
