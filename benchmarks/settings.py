"""python -m benchmarks.settings: which settings of the engine and the server are best on this machine.

    python -m benchmarks.settings [--model DIR] [--quick]

Each candidate differs in one thing from what ``clip`` does by default, and takes turns with it, so that a change of the
machine's pace meets both: the ratios are what to look at. The default, tried as a candidate, shows what is noise.
Latency is that of one client, throughput that of 8. It needs what ``python -m benchmarks`` needs.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import machine, report
from .client import Load, load
from .models import make
from .photos import SMALL, photo
from .plan import BUSY_CLIENTS, percentile
from .server import Server, ServerFailed, serving
from .tuned.tuning import Tuning
from .variants import Variant

_WARM_UP = 2 * BUSY_CLIENTS


@dataclass(frozen=True)
class Candidate:
    title: str
    tuning: Tuning = field(default_factory=Tuning)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """The default and a candidate, measured alternately."""

    default_alone: Load
    alone: Load
    default_busy: Load
    busy: Load


def candidates(cpus: int, *, bf16: bool) -> list[Candidate]:
    """What is tried. The first is the default itself: its ratios say how much the others' may mean."""

    def engine(**properties: str | int | bool | None) -> Tuning:
        return Tuning(engine=properties)

    streams = {"PERFORMANCE_HINT": "THROUGHPUT"}
    return [
        Candidate("the default once more"),
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


def search(tried: Sequence[Candidate], model: Path, turns: int, seconds: float) -> dict[str, list[Turn]]:
    """Measure each candidate in so many turns with the default, which stays up: one client and then 8, for so long.

    Raises:
        ServerFailed: a candidate does not start.
    """
    photos = [photo(SMALL, seed) for seed in range(4)]
    measured: dict[str, list[Turn]] = {}
    with tempfile.TemporaryDirectory(prefix="settings-") as build:

        def started(name: str, candidate: Candidate) -> AbstractContextManager[Server]:
            variant = Variant(name, candidate.title, model, candidate.environment, candidate.tuning)
            return serving(variant.assemble(Path(build)), variant.variables(), photos[0])

        with started("default", Candidate("default")) as default:
            load(default, photos, BUSY_CLIENTS, requests=_WARM_UP)
            for i, candidate in enumerate(tried):
                print(f"{i + 1} of {len(tried)}: {candidate.title}", file=sys.stderr, flush=True)
                with started(f"candidate-{i}", candidate) as server:
                    load(server, photos, BUSY_CLIENTS, requests=_WARM_UP)
                    measured[candidate.title] = [_turn(default, server, photos, seconds) for _ in range(turns)]
    return measured


def _turn(default: Server, server: Server, photos: Sequence[bytes], seconds: float) -> Turn:
    return Turn(
        default_alone=load(default, photos, 1, seconds=seconds),
        alone=load(server, photos, 1, seconds=seconds),
        default_busy=load(default, photos, BUSY_CLIENTS, seconds=seconds),
        busy=load(server, photos, BUSY_CLIENTS, seconds=seconds),
    )


def table(measured: Mapping[str, Sequence[Turn]]) -> list[str]:
    """The medians over the turns, in Markdown; ratios to the default are taken turn by turn."""
    head = ("", "p50, 1 client", "of default", f"images/s, {BUSY_CLIENTS} clients", "of default", "p99", "errors")
    return report.table(head, [[title, *_cells(turns)] for title, turns in measured.items()])


def _cells(turns: Sequence[Turn]) -> list[str]:
    latency = [_median(turn.alone) for turn in turns]
    rate = [turn.busy.per_second for turn in turns]
    return [
        f"{np.median(latency):.1f} ms",
        f"{np.median(np.divide(latency, [_median(turn.default_alone) for turn in turns])):.2f}",
        f"{np.median(rate):.1f}",
        f"{np.median(np.divide(rate, [turn.default_busy.per_second for turn in turns])):.2f}",
        f"{percentile([second for turn in turns for second in turn.busy.latencies], 99) or np.nan:.0f} ms",
        str(sum(turn.alone.errors.total() + turn.busy.errors.total() for turn in turns)),
    ]


def _median(run: Load) -> float:
    return percentile(run.latencies, 50) or np.nan


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
    turns, seconds = (1, 0.2) if options.quick else (3, 2.0)
    try:
        model = options.model or make().exported
        measured = search(candidates(here.usable, bf16=here.bf16), model, turns, seconds)
    except (OSError, ServerFailed, subprocess.CalledProcessError) as error:
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
