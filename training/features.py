"""What the frozen trunk makes of each image, computed once and kept on disk.

The features are kept in a NumPy file of the run folder, beside a count of the finished rows, so that an interrupted run
goes on where it stopped.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

FEATURES = 1280
BATCH = 8
_SAVE_EVERY = 64


class _Trunk(nn.Module):
    """Pixels uint8 [n, size, size, 3] to pooled features [n, 1280]."""

    def __init__(self, trunk: Any, mean: float, std: float) -> None:
        super().__init__()
        self.trunk, self.mean, self.std = trunk, mean, std

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.trunk((pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std)
        return features


def compile_trunk(trunk: Any, image_size: int, mean: float, std: float) -> ov.CompiledModel:
    """A timm trunk without classifier for OpenVINO in float32, with the normalization of its pixels inside."""
    example = torch.zeros(2, image_size, image_size, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that it turns into a constant
        module = _Trunk(trunk, mean, std).eval()
        converted = ov.convert_model(module, example_input=example, input=[-1, image_size, image_size, 3])
    return ov.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})


def extract(
    trunk: ov.CompiledModel, images: NDArray[np.uint8], image_size: int, path: Path, progress: bool
) -> NDArray[np.float32]:
    """Features float32 [n, 1280] of square `images` [n, h, w, 3], resized (bicubic) as the function that serves does.

    They are kept in `path`; rows that an earlier call finished are not computed again.
    """
    finished_path = path.with_suffix(".json")
    finished = int(json.loads(finished_path.read_text())) if path.exists() and finished_path.exists() else 0
    shape = (len(images), FEATURES)
    stored = np.lib.format.open_memmap(path, "r+" if finished else "w+", np.float32, None if finished else shape)
    with tqdm(total=len(images), initial=finished, desc="features", disable=not progress) as bar:
        for number, start in enumerate(range(finished, len(images), BATCH)):
            resized = [
                np.asarray(Image.fromarray(image).resize((image_size, image_size), Image.Resampling.BICUBIC))
                for image in images[start : start + BATCH]
            ]
            stop = start + len(resized)
            stored[start:stop] = trunk(np.stack(resized))[0]
            bar.update(len(resized))
            if number % _SAVE_EVERY == 0 or stop == len(images):
                stored.flush()
                finished_path.write_text(json.dumps(stop))
    return np.array(stored)
