"""The processor's own limit: how fast it multiplies matrices, and how many images of a model a second that would be.

It is measured, by the runtime that serves, and not calculated from cores, clock and the width of instructions: the
clock under such instructions is no fact that a virtual machine tells, nor how much of a core it has.
"""

import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from backend.clip.inference.engine import Runner, compile_tower, ov

_ROWS, _WIDTH, _LAYERS = 1024, 2048, 4


def operations(path: Path) -> int:
    """Multiplications and additions that a tower's matrix products, convolutions and attention take for one image.

    Args:
        path: the ``.xml`` of an OpenVINO IR whose first dimension is the batch.
    """
    model = ov.Core().read_model(path)
    shape = model.input(0).partial_shape
    shape[0] = 1
    model.reshape(shape)
    return sum(_operations(node) for node in model.get_ops())


def _operations(node: ov.Node) -> int:
    kind = node.get_type_name()
    if kind not in ("MatMul", "Convolution", "GroupConvolution", "ScaledDotProductAttention"):
        return 0
    results = int(math.prod(node.get_output_shape(0)))
    first, second = ([int(size) for size in node.get_input_shape(number)] for number in (0, 1))
    if kind == "MatMul":
        return 2 * results * first[-2 if node.get_attributes()["transpose_a"] else -1]
    if kind == "ScaledDotProductAttention":  # queries [..., length, width] and keys, then weights and values
        return 2 * math.prod(first) * second[-2] + 2 * results * second[-2]
    # Weights are [outputs, inputs, height, width], after [groups] if there are groups.
    return 2 * results * math.prod(second[2 if kind == "GroupConvolution" else 1 :])


def peak(precision: str, seconds: float) -> float:
    """Operations a second of a chain of matrix products, the best of those that ran in so long.

    Args:
        precision: one of ``PRECISIONS``.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "products.xml")
        ov.save_model(products(precision), path, compress_to_fp16=False)
        compiled = compile_tower(path, batch=_ROWS, precision="f32" if precision == "int8" else precision)
    runner, rows = Runner(compiled), np.ones((_ROWS, _WIDTH), np.float32)
    runner.infer([rows])
    best, until = math.inf, time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        runner.infer([rows])
        best = min(best, time.perf_counter() - started)
    return 2 * _ROWS * _WIDTH * _WIDTH * _LAYERS / best


def products(precision: str) -> ov.Model:
    """A chain of matrix products; in int8 as the export writes it, with numbers that are rounded to 256 levels."""
    from openvino import opset13 as ops

    random = np.random.default_rng(0)
    rows = ops.parameter([-1, _WIDTH], ov.Type.f32)
    node: ov.Node = rows
    for _ in range(_LAYERS):
        if precision == "int8":
            low, high = (ops.constant(np.float32(bound)) for bound in (-1, 127 / 128))
            node = ops.fake_quantize(node, low, high, low, high, 256)
            whole = ops.constant(random.integers(-127, 128, (_WIDTH, _WIDTH), np.int8))
            weights = ops.multiply(ops.convert(whole, "f32"), ops.constant(np.float32(1 / _WIDTH)))
        else:
            weights = ops.constant(random.standard_normal((_WIDTH, _WIDTH), np.float32) / math.sqrt(_WIDTH))
        node = ops.matmul(node, weights, transpose_a=False, transpose_b=True)
    return ov.Model([node], [rows])
