"""A traced module computes what PyTorch does, for other inputs than the one that it was traced with."""

import numpy as np
import torch

from backend.clip.export.tracing import traced
from backend.clip.inference.engine import ov


def test_it_computes_what_the_module_does_for_any_length() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(6, 9), torch.nn.GELU(), torch.nn.LayerNorm(9)).eval()
    model = traced(module, torch.zeros(2, 6), (-1, 6))
    assert [str(length) for length in model.input().partial_shape] == ["?", "6"]
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for count in (1, 2, 5):
        values = torch.randn(count, 6)
        with torch.no_grad():
            expected = module(values).numpy()
        np.testing.assert_allclose(compiled(values.numpy())[0], expected, atol=1e-5)
