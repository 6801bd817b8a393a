"""PyTorch modules as OpenVINO models."""

import warnings
from collections.abc import Sequence

import torch
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

from ..inference.engine import ov


def traced(module: torch.nn.Module, example: torch.Tensor, shape: Sequence[int]) -> ov.Model:
    """What a module in evaluation mode computes for its one input.

    Args:
        example: an input to trace the module with.
        shape: that of the model's input, -1 for lengths that vary.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that it turns into a constant
        # PyTorch would trace it once more to compare. What is made of it is compared with the module itself.
        decoder = TorchScriptPythonDecoder(module, example_input=example, trace_kwargs={"check_trace": False})
        return ov.convert_model(decoder, example_input=example, input=list(shape))
