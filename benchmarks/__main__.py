"""python -m benchmarks: measures the functions and other ways to serve CLIP, and prints a table.

    python -m benchmarks            the whole, on a quiet machine
    python -m benchmarks --quick    everything once, to see that it works: the numbers mean nothing

It needs what is in benchmarks/requirements.txt, local/, template/, backend/clip/requirements-export.txt. Downloads
nothing: ViT-B/32 has random weights.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import machine, report
from .goals import goals
from .measure import Benchmark
from .models import kept, make
from .plan import FULL, QUICK
from .server import ServerFailed
from .variants import PROJECT, compared

_RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="everything once; the numbers mean nothing")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="clip, open_clip, onnx, original, bundled …")
    parser.add_argument("--out", type=Path, help="the folder for results.md, results.json and concurrency.svg")
    parser.add_argument("--image", help="a container image built with MODEL=bundled, to state its size")
    options = parser.parse_args(arguments)
    out = options.out or (PROJECT / "build" / "benchmarks" if options.quick else _RESULTS)
    # An interrupted run ends its servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print(_run(options.quick, options.only, out, options.image), end="")
    except (OSError, ServerFailed, ValueError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"Written to {out}.", file=sys.stderr)
    return 0


def _run(quick: bool, only: Sequence[str] | None, out: Path, image: str | None) -> str:
    here = machine.describe()
    bundled = PROJECT / "backend" / "clip" / "model"
    megabytes = None if image is None else _image_megabytes(image) - _folder_megabytes(bundled)
    variants = compared(kept(), bundled, bf16=here.bf16)
    if only:
        if unknown := set(only) - {variant.key for variant in variants}:
            raise ValueError(f"No such variant: {', '.join(sorted(unknown))}.")
        variants = [variant for variant in variants if variant.key in only]
    if any(variant.model != bundled for variant in variants):
        print("Making ViT-B/32 with random weights …", file=sys.stderr)
        make()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as build:
        results = Benchmark(variants, QUICK if quick else FULL, Path(build)).run()
    reached = goals(results, bf16=here.bf16, image_megabytes=megabytes)
    out.mkdir(parents=True, exist_ok=True)
    text = report.markdown(results, reached, here)
    (out / "results.md").write_text(text, encoding="utf-8")
    report.write_json(results, reached, here, out / "results.json")
    report.plot(results, out / "concurrency.svg")
    return text


def _image_megabytes(name: str) -> float:
    for tool in ("podman", "docker"):
        if path := shutil.which(tool):
            command = [path, "image", "inspect", "--format", "{{.Size}}", name]
            return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1e6  # noqa: S603
    raise ValueError("The size of an image needs podman or docker.")


def _folder_megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
