"""What the frozen part of the trunk makes of each picture, computed once and kept on disk.

Beside the files stands a count of the finished rows, so that an interrupted run goes on where it stopped.
"""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from training.views import Pixels

FEATURES = 1280
FROZEN_STAGES = 5
"""Of EfficientNet's seven stages the first five stay as ImageNet made them; `tune.py` trains the others."""
BATCH = 8
_SAVE_EVERY = 64


class Features(NamedTuple):
    """`maps` float16 [n, side, side, channels], what the frozen stages give; `pooled` float32 [n, 1280], what the
    original trunk makes of that. Both are memory maps."""

    maps: NDArray[np.float16]
    pooled: NDArray[np.float32]


class _Trunk(nn.Module):
    """Pixels uint8 [n, size, size, 3] to maps [n, side, side, channels] and pooled features [n, 1280]."""

    def __init__(self, trunk: Any, mean: float, std: float) -> None:
        super().__init__()
        self.trunk, self.mean, self.std = trunk, mean, std

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        images = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        maps = self.trunk.blocks[:FROZEN_STAGES](self.trunk.bn1(self.trunk.conv_stem(images)))
        last = self.trunk.bn2(self.trunk.conv_head(self.trunk.blocks[FROZEN_STAGES:](maps)))
        return maps.permute(0, 2, 3, 1), self.trunk.global_pool(last)


def compile_trunk(trunk: Any, image_size: int, mean: float, std: float) -> ov.CompiledModel:
    """A timm EfficientNet without classifier for OpenVINO in float32, with the normalization of its pixels inside."""
    example = torch.zeros(2, image_size, image_size, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that it turns into a constant
        module = _Trunk(trunk, mean, std).eval()
        converted = ov.convert_model(module, example_input=example, input=[-1, image_size, image_size, 3])
    return ov.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})


def extract(
    trunk: ov.CompiledModel, picture: Callable[[int], Pixels], count: int, folder: Path, progress: bool
) -> Features:
    """Features of `picture(0)` to `picture(count - 1)`, each uint8 [size, size, 3].

    They are kept in `folder`; rows that an earlier call finished are not computed again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finished_path = folder / "finished.json"
    finished = int(json.loads(finished_path.read_text())) if finished_path.exists() else 0
    mode = "r+" if finished else "w+"
    shape = tuple(trunk.output(0).partial_shape[axis].get_length() for axis in (1, 2, 3))
    maps = np.lib.format.open_memmap(folder / "maps.npy", mode, np.float16, None if finished else (count, *shape))
    pooled = np.lib.format.open_memmap(folder / "pooled.npy", mode, np.float32, None if finished else (count, FEATURES))
    with tqdm(total=count, initial=finished, desc=folder.name, disable=not progress) as bar:
        for number, start in enumerate(range(finished, count, BATCH)):
            stop = min(start + BATCH, count)
            outputs = trunk(np.stack([picture(index) for index in range(start, stop)]))
            maps[start:stop], pooled[start:stop] = outputs[0], outputs[1]
            bar.update(stop - start)
            if number % _SAVE_EVERY == 0 or stop == count:
                maps.flush()
                pooled.flush()
                finished_path.write_text(json.dumps(stop))
    return Features(maps, pooled)
