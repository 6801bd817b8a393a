"""OpenVINO, set up for a function: it sends no statistics, uses the container's processors, and keeps weights once."""

import ctypes
import logging
import mmap
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# With this package installed, openvino reports its import to a statistics server. A function must not do that.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

from ..cpus import available_cpus  # noqa: E402

__all__ = ["Runner", "compile_after", "compile_tower", "ops", "ov"]

_log = logging.getLogger("function")
_MAPS = Path("/proc/self/maps")
_MADV_DONTNEED = 4


class Runner:
    """Computes a compiled tower in buffers of its own, for one thread at a time. Nothing else speaks to the engine."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self._request = compiled.create_infer_request()

    def infer(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Compute the tower's outputs for its inputs. They are overwritten by the next call."""
        self._request.infer(list(arrays))
        return [output.data for output in self._request.output_tensors]


def compile_tower(
    path: Path, *, batch: int | None = None, precision: str = "f32", example: Sequence[NDArray[Any]] | None = None
) -> ov.CompiledModel:
    """Load one tower of an exported model.

    Args:
        path: the ``.xml`` of the OpenVINO IR.
        batch: fix the first dimension of the input; None leaves it dynamic.
        precision: what OpenVINO computes in where the tower says nothing else: "f32", "bf16" or "f16".
        example: inputs of a size that the tower is given later, where more of it is dynamic than the batch.
    """
    core = ov.Core()
    model = core.read_model(path)
    if batch is not None:
        shape = model.input(0).partial_shape
        shape[0] = batch
        model.reshape(shape)
    # For a batch of any size OpenVINO would pack weights that are f16 in the file once for each size.
    widened = _widen(model) if batch is None and precision == "f32" else None
    compiled = _compile(core, model, precision)
    _pack(compiled, example)
    _release(path.with_suffix(".bin"))
    if widened is not None:
        widened.madvise(mmap.MADV_DONTNEED)
    return compiled


def compile_after(path: Path, output: str, shape: Sequence[int], precision: str) -> ov.CompiledModel:
    """Load the part of a model that computes its other outputs from one of them.

    Args:
        path: the ``.xml`` of the OpenVINO IR.
        output: the name of an output, which is the input of what is loaded.
        shape: of that input.
        precision: see ``compile_tower``.
    """
    core = ov.Core()
    model = core.read_model(path)
    source = model.output(output).get_node().input_value(0)
    parameter = ops.parameter(shape, source.get_element_type())
    others = [result for result in model.get_results() if result.input_value(0) != source]
    for reader in source.get_target_inputs():
        if reader.get_node().get_type_name() != "Result":
            reader.replace_source_output(parameter.output(0))
    compiled = _compile(core, ov.Model(others, [parameter]), precision)
    _release(path.with_suffix(".bin"))
    return compiled


def _compile(core: ov.Core, model: ov.Model, precision: str) -> ov.CompiledModel:
    _fold(core, model)
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": available_cpus(),
        "INFERENCE_PRECISION_HINT": precision,
        # If each container pinned its threads, they would all use the first cores of the host.
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(model, "CPU", settings)


def _fold(core: ov.Core, model: ov.Model) -> None:
    """Replace the products of constants in a model by their values.

    OpenVINO 2026.4 folds constants itself, but none behind f16 weights, which it keeps compressed. It computes such a
    product once, and lets what reads it write its own result over it: the query of an attention pool became the pooled
    features of the image before, and the next embedding depended on that image.
    """
    known: set[str] = set()
    products: list[ov.Output] = []
    for node in model.get_ordered_ops():
        kind, inputs = node.get_type_name(), {value.get_node().get_name() for value in node.input_values()}
        static = kind == "ShapeOf" and node.get_input_partial_shape(0).is_static
        if kind == "Constant" or static or (inputs and inputs <= known):
            known.add(node.get_name())
            products += node.outputs() if kind == "MatMul" else []
    if not products:
        return
    part = core.compile_model(ov.Model(products, model.get_parameters()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = part.create_infer_request()
    request.infer()
    for product, tensor in zip(products, request.output_tensors, strict=True):
        product.replace(ops.constant(tensor.data.copy()).output(0))


def _pack(compiled: ov.CompiledModel, example: Sequence[NDArray[Any]] | None) -> None:
    """Run a model once: where inputs may have any size, OpenVINO packs the weights only then."""
    batch, *rest = list(compiled.input(0).partial_shape)
    if example is None and batch.is_dynamic and all(axis.is_static for axis in rest):
        shape = [1, *(axis.get_length() for axis in rest)]
        example = [np.zeros(shape, compiled.input(0).element_type.to_dtype())]
    if example is not None:
        Runner(compiled).infer(example)


def _widen(model: ov.Model) -> mmap.mmap | None:
    """Replace the f16 weights of a model by f32 ones, in a file without a name.

    Returns:
        The mapped file, or None if nothing is to be widened or there is no room for it. Its pages may be let go of when
        the model is compiled: what is read after all comes back.
    """
    halves = [
        (node, node.input_value(0).get_node().data)
        for node in model.get_ops()
        if node.get_type_name() == "Convert"
        and node.get_output_element_type(0) == ov.Type.f32
        and node.input_value(0).get_node().get_type_name() == "Constant"
        and node.input_value(0).get_element_type() == ov.Type.f16
        and all(reader.get_node().get_type_name() != "Gather" for reader in node.output(0).get_target_inputs())
    ]
    count = sum(half.size for _, half in halves)
    if not count:
        return None
    try:
        with tempfile.TemporaryFile() as file:
            # Reserved: writing to a page for which the disk has no room would end the process.
            _reserve(file.fileno(), count * np.dtype(np.float32).itemsize)
            pages = mmap.mmap(file.fileno(), 0)
    except OSError as error:
        _log.warning("there is no room for widened weights, so the model takes more memory: %s", error)
        return None
    weights, start = np.frombuffer(pages, np.float32), 0
    for node, half in halves:
        widened = weights[start : (start := start + half.size)].reshape(half.shape)
        widened[...] = half
        node.output(0).replace(ops.constant(widened, shared_memory=True).output(0))
    return pages


def _reserve(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)


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
