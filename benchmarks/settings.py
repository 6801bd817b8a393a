"""python -m benchmarks.settings: which settings of the engine and the server are best on this machine.

    python -m benchmarks.settings [--model DIR] [--quick]

Each candidate differs in one thing from what `clip` does by default. Latency is that of one client, throughput that of
8. All candidates take their turn in each round and are compared with the default in the same round, so that a change
of the machine's pace meets them all. It needs what `python -m benchmarks` needs.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import machine, report
from .client import Load, load
from .models import make
from .photos import SMALL, photo
from .plan import BUSY_CLIENTS, percentile
from .server import ServerFailed, serving
from .tuned.tuning import Tuning
from .variants import Variant

_DEFAULT = "as it is"
_WARM_UP = 2 * BUSY_CLIENTS


@dataclass(frozen=True)
class Candidate:
    title: str
    tuning: Tuning = field(default_factory=Tuning)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Round:
    alone: Load
    busy: Load


def candidates(cpus: int, *, bf16: bool) -> list[Candidate]:
    """What is tried, the default first."""

    def engine(**properties: str | int | bool | None) -> Tuning:
        return Tuning(engine=properties)

    streams = {"PERFORMANCE_HINT": "THROUGHPUT"}
    return [
        Candidate(_DEFAULT),
        *(Candidate(f"{n} inference thread{'s' * (n > 1)}", engine(INFERENCE_NUM_THREADS=n)) for n in _around(cpus)),
        Candidate("threads left to OpenVINO", engine(INFERENCE_NUM_THREADS=None)),
        Candidate("threads pinned", engine(ENABLE_CPU_PINNING=True)),
        Candidate("2 streams", engine(NUM_STREAMS=2)),
        Candidate("throughput hint", Tuning(engine=dict(streams))),
        *([Candidate("f32 instead of bf16", engine(INFERENCE_PRECISION_HINT="f32"))] if bf16 else []),
        Candidate("dynamic batch", Tuning(dynamic=True)),
        *(Candidate(f"{n} server threads", environment={"server_threads": str(n)}) for n in (2, 4, 8, 16)),
        *(Candidate(f"{n} handled at a time", Tuning(handling=n)) for n in (1, 2, 3, 4)),
        *(Candidate(f"{n} inferred at a time", Tuning(inferring=n)) for n in (1, 2)),
        *(Candidate(f"batches of up to {n}", Tuning(dynamic=True, gather=n)) for n in (4, 8)),
        Candidate("batches of up to 8, 4 handled at a time", Tuning(dynamic=True, gather=8, handling=4)),
        Candidate("throughput hint, 2 inferred at a time", Tuning(engine=dict(streams), inferring=2)),
    ]


def _around(cpus: int) -> list[int]:
    return sorted({1, max(1, cpus // 2), 2 * cpus} - {cpus})


def search(tried: Sequence[Candidate], model: Path, rounds: int, seconds: float) -> dict[str, list[Round]]:
    """Measure each candidate ``rounds`` times, one client and then 8 for so many seconds each.

    Raises:
        ServerFailed: a candidate does not start.
    """
    photos = [photo(SMALL, seed) for seed in range(4)]
    measured: dict[str, list[Round]] = {candidate.title: [] for candidate in tried}
    with tempfile.TemporaryDirectory(prefix="settings-") as build:
        variants = [
            Variant(f"candidate-{i}", candidate.title, model, candidate.environment, candidate.tuning)
            for i, candidate in enumerate(tried)
        ]
        folders = [variant.assemble(Path(build)) for variant in variants]
        for turn in range(rounds):
            for variant, folder in zip(variants, folders, strict=True):
                print(f"{variant.title}, round {turn + 1} of {rounds}", file=sys.stderr, flush=True)
                with serving(folder, variant.variables(), photos[0]) as server:
                    load(server, photos, BUSY_CLIENTS, requests=_WARM_UP)
                    alone = load(server, photos, 1, seconds=seconds)
                    busy = load(server, photos, BUSY_CLIENTS, seconds=seconds)
                measured[variant.title].append(Round(alone, busy))
    return measured


def table(measured: Mapping[str, Sequence[Round]]) -> list[str]:
    """The medians over the rounds, in Markdown; ratios to the default are taken round by round."""
    default = measured[_DEFAULT]
    rows = []
    for title, rounds in measured.items():
        latency = [percentile(round_.alone.latencies, 50) or np.nan for round_ in rounds]
        rate = [round_.busy.per_second for round_ in rounds]
        tail = [percentile(round_.busy.latencies, 99) or np.nan for round_ in rounds]
        against = [percentile(round_.alone.latencies, 50) or np.nan for round_ in default]
        rows.append(
            [
                title,
                f"{np.median(latency):.1f} ms",
                f"{np.median(np.divide(latency, against)):.2f}",
                f"{np.median(rate):.1f}",
                f"{np.median(np.divide(rate, [round_.busy.per_second for round_ in default])):.2f}",
                f"{np.median(tail):.0f} ms",
                str(sum(round_.alone.errors.total() + round_.busy.errors.total() for round_ in rounds)),
            ]
        )
    head = ("", "p50, 1 client", "ratio", f"images/s, {BUSY_CLIENTS} clients", "ratio", "p99", "errors")
    return report.table(head, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.settings", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--model", type=Path, help="an exported model (default: ViT-B/32 with random weights)")
    parser.add_argument("--quick", action="store_true", help="everything once; the numbers mean nothing")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    here = machine.describe()
    rounds, seconds = (1, 0.5) if options.quick else (3, 3.0)
    try:
        model = options.model or make().exported
        measured = search(candidates(here.usable, bf16=here.bf16), model, rounds, seconds)
    except (OSError, ServerFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    text = "\n".join([*here.lines(), "", *table(measured)]) + "\n"
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
