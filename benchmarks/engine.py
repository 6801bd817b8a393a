"""How many images a second the image tower of a variant computes without a server, and could compute at the most."""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import numpy as np

from backend.clip.inference.engine import compile_tower
from backend.clip.inference.image_tower import DEFAULT_FILE, FILES
from backend.clip.inference.precision import fastest
from backend.clip.manifest import Manifest

from .processor import operations, peak
from .variants import Variant


def images_per_second(variant: Variant, seconds: float) -> dict[int, float]:
    """By the size of the batch, each for so long; in a new process with the variant's environment."""
    precision, path = _tower(variant)
    kind = "f32" if precision == "int8" else precision
    with patch.dict(os.environ, variant.variables()), ProcessPoolExecutor(1, get_context("spawn")) as process:
        return {batch: process.submit(_rate, path, kind, batch, seconds).result() for batch in (1, 8)}


def limit(variant: Variant, seconds: float) -> float:
    """How many images a second it would be if the processor did nothing but multiply matrices; measured for so long."""
    precision, path = _tower(variant)
    with patch.dict(os.environ, variant.variables()), ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(peak, precision, seconds).result() / process.submit(operations, path).result()


def _tower(variant: Variant) -> tuple[str, Path]:
    precision = variant.environment.get("inference_precision") or fastest(Manifest.read(variant.model).agreeing)
    return precision, variant.model / FILES.get(precision, DEFAULT_FILE)


def _rate(path: Path, precision: str, batch: int, seconds: float) -> float:
    compiled = compile_tower(path, batch=batch, precision=precision)
    pixels = np.zeros(compiled.input(0).shape, np.uint8)
    infer = compiled.create_infer_request().infer
    infer([pixels])
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        infer([pixels])
        count += batch
    return count / (time.perf_counter() - started)
