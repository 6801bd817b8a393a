"""OpenVINO, set up for a function: it sends no statistics, uses the container's processors, and keeps weights once."""

import ctypes
import sys
from pathlib import Path

# With this package installed, openvino reports its import to a statistics server. A function must not do that.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402

from .cpus import available_cpus  # noqa: E402

__all__ = ["compile_tower", "ov"]

_MAPS = Path("/proc/self/maps")
_MADV_DONTNEED = 4


def compile_tower(path: Path, *, batch: int | None = None, precision: str | None = None) -> ov.CompiledModel:
    """Load one tower of an exported model.

    Args:
        path: the ``.xml`` of the OpenVINO IR.
        batch: fix the first dimension of the input, which makes a single image faster; None leaves it dynamic.
        precision: "f32" or "bf16"; None takes bf16 where the processor has it, as OpenVINO does.
    """
    core = ov.Core()
    model = core.read_model(path)
    if batch is not None:
        shape = model.input(0).partial_shape
        shape[0] = batch
        model.reshape(shape)
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": available_cpus(),
        # If each container pinned its threads, they would all use the first cores of the host.
        "ENABLE_CPU_PINNING": False,
    }
    if precision is not None:
        settings["INFERENCE_PRECISION_HINT"] = precision
    compiled = core.compile_model(model, "CPU", settings)
    _release(path.with_suffix(".bin"))
    return compiled


def _release(weights: Path) -> None:
    """Let go of the pages of the mapped file ``weights``.

    The compiled model computes with its own copy, in the layout and precision of the processor, and keeps the file
    mapped without reading it again. A page that is read after all comes back from the file.
    """
    if not _MAPS.exists():
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    file = str(weights.resolve())
    for line in _MAPS.read_text().splitlines():
        addresses, *_, name = line.split(maxsplit=5)
        if name == file:
            start, end = (int(address, 16) for address in addresses.split("-"))
            madvise(start, end - start, _MADV_DONTNEED)
