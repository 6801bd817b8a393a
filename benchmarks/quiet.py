"""Whether a machine was quiet enough for its figures to be quoted."""

import os
from collections.abc import Iterable

import psutil

# Processes that wanted a core in the minute before the run.
_LOAD = 0.5
# Of the processors' time during the run, what the host gave to others.
_STEAL = 0.02
# How far two measurements of the same thing may be apart, as a ratio.
_APART = 1.15

Pair = tuple[str, float, float]
"""What was measured twice, and the two results."""


class Watch:
    """What the machine did beside the run, from now on."""

    def __init__(self) -> None:
        self.load = os.getloadavg()[0]
        """The average of the minute before."""
        self._before = psutil.cpu_times()

    def steal(self) -> float:
        """The share of the processors' time since then that the host gave to others; 0 where nothing tells."""
        now, before = psutil.cpu_times(), self._before
        stolen: float = getattr(now, "steal", 0.0) - getattr(before, "steal", 0.0)
        passed = sum(now) - sum(before)
        return stolen / passed if passed > 0 else 0.0


def doubts(load: float, steal: float, pairs: Iterable[Pair]) -> list[str]:
    """Why figures are not to be quoted, in words; nothing if they may be."""
    found = []
    if load > _LOAD:
        found.append(f"the load average was {load:.1f} before the run, more than {_LOAD}")
    if steal > _STEAL:
        found.append(f"the host took {steal:.1%} of the processors' time, more than {_STEAL:.0%}")
    for name, *results in pairs:
        low, high = sorted(results)
        if high > low * _APART:
            found.append(
                f"{name} was measured twice, {high / low - 1:.0%} apart: {results[0]:.1f} and {results[1]:.1f}"
            )
    return found
