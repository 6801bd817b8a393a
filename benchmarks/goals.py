"""The goals of ``clip`` with ViT-B/32 on two cores, compared with the measurements."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .plan import BUSY_CLIENTS, Measured, percentile

_HOLDS = {"≤": operator.le, "≥": operator.ge, "<": operator.lt}


@dataclass(frozen=True)
class Goal:
    what: str
    relation: Literal["≤", "≥", "<"]
    limit: float
    unit: str
    value: float | None
    """None: not measured."""
    digits: int = 1

    @property
    def met(self) -> bool | None:
        return None if self.value is None else bool(_HOLDS[self.relation](self.value, self.limit))

    @property
    def wanted(self) -> str:
        return f"{self.relation} {self.limit:g} {self.unit}".strip()

    @property
    def measured(self) -> str:
        return "not measured" if self.value is None else f"{self.value:.{self.digits}f} {self.unit}".strip()


def goals(results: Sequence[Measured], *, bf16: bool, image_megabytes: float | None) -> list[Goal]:
    """Every goal, whether it was reached or not; none without the variant ``clip``."""
    found = {result.variant.key: result for result in results}
    if "clip" not in found:
        return []
    clip, precision = found["clip"], "bf16" if bf16 else "f32"
    small = {key: percentile(result.small, 50) for key, result in found.items()}
    start = {key: percentile(result.starts, 50) for key, result in found.items()}
    busy = clip.loads.get(BUSY_CLIENTS)
    steady = clip.steady.latencies if clip.steady else []
    in_f32 = (
        [Goal("… in f32", "≥", 2.5, "x faster than (a)", _ratio(small.get("open_clip"), small["clip-f32"]))]
        if "clip-f32" in small
        else []
    )
    return [
        Goal(
            "640x480, one client, p50",
            "≤",
            6,
            "ms over the forward pass",
            _over(small["clip"], percentile(clip.forward, 50)),
        ),
        Goal(
            f"… in {precision}",
            "≥",
            4 if bf16 else 2.5,
            "x faster than (a)",
            _ratio(small.get("open_clip"), small["clip"]),
        ),
        *in_f32,
        Goal("…", "≥", 200, "x faster than (d)", _ratio(small.get("original"), small["clip"]), 0),
        Goal("process start to first 200", "≤", 1.3, "s", _ratio(start["clip"], 1000), 2),
        Goal("…", "≥", 3.5, "x faster than (a)", _ratio(start.get("open_clip"), start["clip"])),
        Goal(
            f"throughput, {BUSY_CLIENTS} clients",
            "≥",
            0.9,
            "of the engine alone at its best",
            _ratio(busy.per_second if busy else None, clip.best_engine[1] if clip.best_engine else None),
            2,
        ),
        Goal("… p99", "≤", 3, "x p50", _ratio(percentile(steady, 99), percentile(steady, 50))),
        Goal("errors, all phases", "≤", 0, "", float(clip.errors.total()), 0),
        Goal(
            "12 megapixels, one client",
            "≤",
            45,
            "ms more than 640x480",
            _over(percentile(clip.large, 50), small["clip"]),
        ),
        Goal("peak memory under load", "≤", 600, "MB", clip.peak, 0),
        Goal(
            f"growth over {len(steady):,} requests",
            "<",
            3,
            "%",
            _ratio(_over(clip.memory_after, clip.memory_before), _ratio(clip.memory_before, 100)),
        ),
        Goal(
            "1,000 labels, second time",
            "≤",
            3,
            "ms more than none",
            _over(percentile(clip.labels_again, 50), percentile(clip.labels_none, 50)),
        ),
        Goal("container image without the weights", "≤", 450, "MB", image_megabytes, 0),
    ]


def _ratio(value: float | None, of: float | None) -> float | None:
    return value / of if value is not None and of else None


def _over(value: float | None, base: float | None) -> float | None:
    return value - base if value is not None and base is not None else None
