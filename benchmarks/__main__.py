"""python -m benchmarks: measures the functions beside other ways to serve the same model, and prints a table.

    python -m benchmarks            the whole, on a quiet machine
    python -m benchmarks --quick    one round, to see that it works: the numbers mean little

It needs what is in benchmarks/requirements.txt, local/, template/, backend/clip/requirements-export.txt. Downloads
nothing: ViT-B/32 has random weights.

Its status is 3 when all was measured, but the figures are not to be quoted: the report says why.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.clip.cpus import available_cpus
from backend.clip.inference.precision import available, instructions
from local.model_cache import PROJECT

from . import quiet, report
from .client import RATE
from .measure import ROUNDS, Benchmark
from .models import LARGER, kept, make
from .server import ServerFailed
from .service import REPLICATED
from .variants import BUNDLED, Variant, compared

_NOT_TO_BE_QUOTED = 3
# Of the ways to put replicas, the one that the table has as well, where there are two cores.
_AS_IN_THE_TABLE = "one on two cores"


def main() -> int:
    processor = available() | instructions() & {"avx_vnni"}
    variants = {variant.key: variant for variant in compared(kept(), kept(LARGER), processor)}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round; the numbers mean little")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", choices=variants, help=", ".join(variants))
    parser.add_argument("--out", type=Path, default=PROJECT / "build" / "benchmarks", help="a folder for the results")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the servers, too
    try:
        chosen = [variants[key] for key in variants if key in (options.only or variants)]
        doubts = _run(chosen, options.quick, options.out)
    except (OSError, ServerFailed, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return _NOT_TO_BE_QUOTED if doubts else 0


def _run(chosen: Sequence[Variant], quick: bool, out: Path) -> list[str]:
    """Measure, write and print; return why the figures are not to be quoted."""
    here, watch = report.machine(), quiet.Watch()
    skipped = {variant.title: variant.lacks for variant in chosen if variant.lacks}
    variants = [variant for variant in chosen if not variant.lacks]
    if any(variant.model != BUNDLED for variant in variants):
        make()
        make(LARGER)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as build:
        benchmark = Benchmark(variants, 1 if quick else ROUNDS, Path(build))
        measured = benchmark.run()
        ours = [variant for variant in variants if variant.key in REPLICATED]
        replicas = benchmark.replicas(ours[0]) if ours and available_cpus() > 1 else {}
        twice = benchmark.halves()
    if replicas and available_cpus() == 2:
        name = f"{ours[0].title}, {RATE}, in the table and as a replica {_AS_IN_THE_TABLE}"
        twice.append((name, measured[ours[0].key][RATE].p50, replicas[_AS_IN_THE_TABLE][0]))
    doubts = quiet.doubts(watch.load, watch.steal(), twice) + (["each was measured in one round"] if quick else [])
    out.mkdir(parents=True, exist_ok=True)
    report.plot(variants, measured, out / "comparison.svg")
    spreads = {key: {name: spread._asdict() for name, spread in own.items()} for key, own in measured.items()}
    document = json.dumps({"machine": here, "doubts": doubts, "variants": spreads, "replicas": replicas}, indent=1)
    (out / "results.json").write_text(f"{document}\n", encoding="utf-8")
    text = report.markdown(here, variants, measured, replicas, doubts, skipped)
    (out / "results.md").write_text(text, encoding="utf-8")
    print(text, end="")
    return doubts


if __name__ == "__main__":
    sys.exit(main())
