"""The limit: counted against what is counted by hand, and measured by the kernels that it is the limit of."""

from pathlib import Path

import numpy as np
import pytest
from openvino import opset13 as ops

from backend.clip.inference.engine import compile_tower, ov
from backend.clip.inference.precision import available
from benchmarks import processor
from benchmarks.processor import operations, peak, products


def test_operations_are_those_of_products_convolutions_and_attention(tmp_path: Path) -> None:
    def zeros(*shape: int) -> ov.Node:
        return ops.constant(np.zeros(shape, np.float32))

    image = ops.parameter([-1, 3, 8, 8], ov.Type.f32)
    wide = ops.convolution(image, zeros(6, 3, 2, 2), [2, 2], [0, 0], [0, 0], [1, 1])  # [1, 6, 4, 4]
    deep = ops.group_convolution(wide, zeros(6, 1, 1, 2, 2), [2, 2], [0, 0], [0, 0], [1, 1])  # [1, 6, 2, 2]
    rows = ops.reshape(deep, ops.constant([0, 6, 4]), special_zero=True)
    attended = ops.scaled_dot_product_attention(rows, rows, rows)  # 6 queries and keys of 4
    turned = ops.matmul(attended, zeros(1, 6, 5), transpose_a=True, transpose_b=False)  # [1, 4, 5] of 6 each
    ov.save_model(ov.Model([turned], [image]), tmp_path / "model.xml")

    expected = 6 * 4 * 4 * (3 * 2 * 2) + 6 * 2 * 2 * (2 * 2) + 6 * 6 * 4 + 6 * 4 * 6 + 4 * 5 * 6
    assert operations(tmp_path / "model.xml") == 2 * expected


@pytest.mark.parametrize(("precision", "computed"), [("f32", "f32"), ("bf16", "bf16"), ("int8", "i8")])
@pytest.mark.usefixtures("small")
def test_the_products_are_computed_in_the_precision(precision: str, computed: str, tmp_path: Path) -> None:
    if precision not in available():
        pytest.skip(f"this processor does not compute in {precision}")
    ov.save_model(products(precision), tmp_path / "products.xml", compress_to_fp16=False)
    compiled = compile_tower(tmp_path / "products.xml", batch=64, precision="bf16" if precision == "bf16" else "f32")

    told = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    kinds = [info["runtimePrecision"].value for info in told if info["layerType"].value == "FullyConnected"]
    assert kinds == [computed] * 4


@pytest.mark.usefixtures("small")
def test_the_peak_is_a_number_of_operations_a_second() -> None:
    # From less than a core of long ago does to more than any two sockets do.
    assert 1e8 < peak("f32", 0.05) < 1e14


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_ROWS", 64)
    monkeypatch.setattr(processor, "_WIDTH", 256)
