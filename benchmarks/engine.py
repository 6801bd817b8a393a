"""How many images a second the image tower of a variant computes without a server, one at a time and in batches.

python -m benchmarks.engine MODEL PRECISION SECONDS
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from backend.clip.engine import compile_tower
from backend.clip.manifest import Manifest
from backend.clip.precision import fastest
from backend.clip.tower import DEFAULT_FILE, FILES

from .variants import PROJECT, Variant

_BATCHES = (1, 8)


def images_per_second(variant: Variant, seconds: float) -> dict[str, float]:
    """By the size of the batch, each for so long; in a new process with the variant's environment."""
    checked = Manifest.read(variant.model).agreeing
    precision = variant.environment.get("inference_precision") or fastest(checked)
    command = [sys.executable, "-m", "benchmarks.engine", str(variant.model), precision, str(seconds)]
    run: Any = subprocess.run(command, cwd=PROJECT, env=variant.variables(), stdout=subprocess.PIPE, check=True)  # noqa: S603
    rates: dict[str, float] = json.loads(run.stdout)
    return rates


def _rate(model: Path, precision: str, batch: int, seconds: float) -> float:
    path = model / FILES.get(precision, DEFAULT_FILE)
    request = compile_tower(path, batch=batch, precision="f32" if precision == "int8" else precision)
    pixels = np.zeros(request.input(0).shape, np.uint8)
    infer = request.create_infer_request().infer
    infer([pixels])
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        infer([pixels])
        count += batch
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.engine", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("precision")
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    measured = {str(batch): _rate(arguments.model, arguments.precision, batch, arguments.seconds) for batch in _BATCHES}
    print(json.dumps(measured))
