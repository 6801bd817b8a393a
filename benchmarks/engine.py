"""How many images a second OpenVINO alone computes, in the ways that there are to use it.

python -m benchmarks.engine MODEL SECONDS
python -m benchmarks.engine MODEL memory
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backend.clip.cpus import available_cpus
from backend.clip.engine import compile_tower, ov

from .server import memory_of

PROJECT = Path(__file__).parent.parent
# A label, the batch and OpenVINO's properties; with more than one stream several requests are in the engine at a time.
_WAYS: Mapping[str, tuple[int, dict[str, str | int]]] = {
    "one image at a time": (1, {"PERFORMANCE_HINT": "LATENCY"}),
    "two streams": (1, {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 2}),
    "throughput hint": (1, {"PERFORMANCE_HINT": "THROUGHPUT"}),
    "batches of 8": (8, {"PERFORMANCE_HINT": "LATENCY"}),
}


def images_per_second(model: Path, seconds: float) -> dict[str, float]:
    """Measured in a new process, one way after the other."""
    rates: dict[str, float] = _in_new_process(model, str(seconds))
    return rates


def megabytes(model: Path) -> tuple[float, float] | None:
    """Resident memory of a new process with one tower for every batch: after one image, and after 4 at once too.

    In 10⁶ bytes; None where the system has no /proc.
    """
    one, batch = _in_new_process(model, "memory")
    return None if one is None else (one, batch)


def _in_new_process(model: Path, what: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.engine", str(model), what]
    return json.loads(subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603


def _megabytes(model: Path) -> list[float | None]:
    tower = compile_tower(model / "image.xml")
    size = [axis.get_length() for axis in list(tower.input(0).partial_shape)[1:]]
    resident = []
    for batch in (1, 4):
        tower([np.zeros((batch, *size), np.uint8)])
        resident.append(memory_of(os.getpid()).now)
    return resident


def _rate(model: Path, batch: int, properties: dict[str, str | int], seconds: float) -> float:
    core = ov.Core()
    tower = core.read_model(model / "image.xml")
    shape = tower.input(0).partial_shape
    shape[0] = batch
    tower.reshape(shape)
    common = {"INFERENCE_NUM_THREADS": available_cpus(), "ENABLE_CPU_PINNING": False}
    queue = ov.AsyncInferQueue(core.compile_model(tower, "CPU", {**common, **properties}))
    pixels = np.zeros(tower.input(0).shape, np.uint8)
    _run(lambda: queue.start_async([pixels]), queue.wait_all, seconds / 4)
    return batch * _run(lambda: queue.start_async([pixels]), queue.wait_all, seconds)


def _run(start: Callable[[], None], wait: Callable[[], None], seconds: float) -> float:
    """Starts a second."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        start()
        count += 1
    wait()
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.engine", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("what", help="seconds for each way, or: memory")
    arguments = parser.parse_args()
    if arguments.what == "memory":
        print(json.dumps(_megabytes(arguments.model)))
    else:
        print(json.dumps({name: _rate(arguments.model, *way, float(arguments.what)) for name, way in _WAYS.items()}))
