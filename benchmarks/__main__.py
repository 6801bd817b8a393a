"""python -m benchmarks: measures the functions beside other ways to serve the same model, and prints a table.

    python -m benchmarks            the whole, on a quiet machine
    python -m benchmarks --quick    everything once, to see that it works: the numbers mean nothing

It needs what is in benchmarks/requirements.txt, local/, template/, backend/clip/requirements-export.txt. Downloads
nothing: ViT-B/32 has random weights.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.clip.precision import available

from . import machine, report
from .measure import FULL, QUICK, Benchmark
from .models import LARGER, kept, make
from .server import ServerFailed
from .variants import BUNDLED, PROJECT, compared

_RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="everything once; the numbers mean nothing")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="clip-bf16, open_clip, onnx, original, bundled …")
    parser.add_argument("--out", type=Path, help="the folder for results.md, results.json and comparison.svg")
    options = parser.parse_args(arguments)
    out = options.out or (PROJECT / "build" / "benchmarks" if options.quick else _RESULTS)
    # An interrupted run ends its servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print(_run(options.quick, options.only, out), end="")
    except (OSError, ServerFailed, ValueError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"Written to {out}.", file=sys.stderr)
    return 0


def _run(quick: bool, only: Sequence[str] | None, out: Path) -> str:
    variants = compared(kept(), kept(LARGER), available())
    if only:
        if unknown := set(only) - {variant.key for variant in variants}:
            raise ValueError(f"No such variant: {', '.join(sorted(unknown))}.")
        variants = [variant for variant in variants if variant.key in only]
    if any(variant.model != BUNDLED for variant in variants):
        make()
        make(LARGER)
    here = machine.describe()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as build:
        benchmark = Benchmark(variants, QUICK if quick else FULL, Path(build))
        results = benchmark.run()
        ours = [variant for variant in variants if variant.key in ("clip-bf16", "clip-f32")]
        replicas = benchmark.replicas(ours[0]) if ours and here.usable > 1 else {}
    out.mkdir(parents=True, exist_ok=True)
    text = report.markdown(results, replicas, here)
    (out / "results.md").write_text(text, encoding="utf-8")
    report.write_json(results, replicas, here, out / "results.json")
    report.plot(results, out / "comparison.svg")
    return text


if __name__ == "__main__":
    sys.exit(main())
