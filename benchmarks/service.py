"""How long one replica takes for a photo, read from the ``results.json`` of ``python -m benchmarks``."""

import json
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .client import RATE

REPLICATED = ("clip-bf16", "clip-f32")
"""The first of these variants that is measured is also measured in several replicas."""
# Its model is too small to gain by batches, and is computed one image at a time.
_UNBATCHED = "bundled"
# The standard normal distribution's 99th percentile.
_Z99 = 2.326


@dataclass(frozen=True)
class Service:
    """Times in seconds, of one client or of the engine alone: nothing that was measured with several clients."""

    beside: float
    """Of a 640x480 photo, all but the forward pass: decoding, scaling, HTTP, ranking, JSON."""
    beside_large: float
    """The same of one of 12 megapixels."""
    first: float
    """Of the engine for a batch of one."""
    following: float
    """Of the engine for each further image of a batch."""
    batch: int
    """The largest batch."""
    sigma: float
    """The standard deviation of the logarithm of a time: 99 of 100 are under the median times exp(2.326 sigma)."""
    start: float
    """From the start of the process to its first answer."""
    cores: int
    """That the engine computes on."""

    def engine(self, images: int) -> float:
        return self.first + (images - 1) * self.following

    def on(self, cores: int) -> "Service":
        """The same with another number of cores: the engine's time follows them, what is beside it runs on one."""
        share = self.cores / cores
        return replace(self, first=self.first * share, following=self.following * share, cores=cores)

    @property
    def capacity(self) -> float:
        """640x480 photos a second when all batches are full."""
        return self.batch / (self.batch * self.beside + self.engine(self.batch))


@dataclass(frozen=True)
class Measured:
    """What the benchmark measured of a variant with several clients, which a simulation has to give as well."""

    service: Service
    alone: float
    """Seconds of one client's photo, median."""
    busy: float
    """Images a second of ``BUSY_CLIENTS``."""
    replicas: dict[str, float]
    """The same by the name of each way to put replicas on the cores; empty but for one variant."""
    doubts: list[str]
    """Why the figures are not to be quoted."""


def read(path: Path, variant: str) -> Measured:
    """Read a variant of this project from a file of results.

    Raises:
        OSError: the file cannot be read.
        ValueError: it has no such variant, or not all that is needed of it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        variants = document["variants"]
        cores = re.search(r"(\d+) usable", document["machine"]["cores"])
        if cores is None:
            raise ValueError(f"{path} does not say how many cores were usable")
        service = _service(variants[variant], int(cores[1]), batched=variant != _UNBATCHED)
        replicated = next((key for key in REPLICATED if key in variants), None)
        rates = {name: rate for name, (rate, _) in document["replicas"].items()} if variant == replicated else {}
        alone, busy = (float(variants[variant][name]["p50"]) for name in ("small", RATE))
        return Measured(service, alone / 1000, busy, rates, document.get("doubts", []))
    except (AttributeError, KeyError, TypeError, ZeroDivisionError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} has not all figures of {variant} that a simulation needs: {error!r}") from error


def _service(own: dict[str, Any], cores: int, *, batched: bool) -> Service:
    def seconds(name: str, field: str = "p50") -> float:
        return float(own[name][field]) / 1000

    first = 1 / own["engine, batches of 1"]["p50"]
    eight = 8 / own["engine, batches of 8"]["p50"]
    beside = seconds("small: beside inference")
    return Service(
        beside=beside,
        beside_large=beside + seconds("large: decode") - seconds("small: decode"),
        first=first,
        following=(eight - first) / 7,
        batch=8 if batched else 1,
        sigma=math.log(seconds("small", "p99") / seconds("small")) / _Z99,
        start=seconds("start"),
        cores=cores,
    )
