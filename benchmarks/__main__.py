"""python -m benchmarks: measures the functions beside other ways to serve the same model, and prints a table.

    python -m benchmarks            the whole, on a quiet machine
    python -m benchmarks --quick    one round, to see that it works: the numbers mean little

It needs what is in benchmarks/requirements.txt, local/, template/, backend/clip/requirements-export.txt. Downloads
nothing: ViT-B/32 has random weights.
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

from . import report
from .measure import ROUNDS, Benchmark
from .models import LARGER, kept, make
from .server import ServerFailed
from .variants import BUNDLED, Variant, compared


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
        _run([variants[key] for key in variants if key in (options.only or variants)], options.quick, options.out)
    except (OSError, ServerFailed, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(variants: Sequence[Variant], quick: bool, out: Path) -> None:
    if any(variant.model != BUNDLED for variant in variants):
        make()
        make(LARGER)
    here = report.machine()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as build:
        benchmark = Benchmark(variants, 1 if quick else ROUNDS, Path(build))
        measured = benchmark.run()
        ours = [variant for variant in variants if variant.key in ("clip-bf16", "clip-f32")]
        replicas = benchmark.replicas(ours[0]) if ours and available_cpus() > 1 else {}
    out.mkdir(parents=True, exist_ok=True)
    report.plot(variants, measured, out / "comparison.svg")
    spreads = {key: {name: spread._asdict() for name, spread in own.items()} for key, own in measured.items()}
    document = json.dumps({"machine": here, "variants": spreads, "replicas": replicas}, indent=1)
    (out / "results.json").write_text(f"{document}\n", encoding="utf-8")
    text = report.markdown(here, variants, measured, replicas)
    (out / "results.md").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    sys.exit(main())
