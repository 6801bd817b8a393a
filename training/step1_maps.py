"""Step 1: the outputs of the trunk's frozen part, or of all of it, for each picture, computed once and kept on disk.

Beside the files stands a count of the finished rows, so that an interrupted run goes on where it stopped.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from backend.clip.export.tracing import traced
from training.model import CONFIG, IMAGE_SIZE
from training.views import Pictures, Pixels, plain, scene, varied

FROZEN_STAGES = 3
"""Of EfficientNet's seven stages the first three stay as ImageNet made them; step 3 trains the others."""
SCENES = 5000
VARIED_VIEWS = 2
BATCH = 8
_SAVE_EVERY = 64
_MEAN, _STD = CONFIG["preprocess_cfg"]["mean"][0], CONFIG["preprocess_cfg"]["std"][0]

Maps = NDArray[np.float16]
"""[n, side, side, channels], the outputs of the frozen stages; or [n, 1280], pooled features."""


class _Part(nn.Module):
    """Pixels uint8 [n, size, size, 3] to the outputs of a part of the trunk."""

    def __init__(self, part: Callable[[Tensor], Tensor], trunk: Any) -> None:
        super().__init__()
        self.part, self.trunk = part, trunk

    def forward(self, pixels: Tensor) -> Tensor:
        return self.part((pixels.permute(0, 3, 1, 2).float() / 255 - _MEAN) / _STD)


def make_maps(
    trunk: Any, images: Pixels, pictures: Pictures, work: Path, seed: int, progress: bool
) -> tuple[list[Maps], Maps]:
    """Maps of ``images`` uint8 [n, h, w, 3], once as they are and once for each way of varying them, and of scenes.

    They are kept in folders of ``work``.
    """
    frozen = compile_frozen(trunk)

    def of(name: str, picture: Callable[[int], Pixels], count: int) -> Maps:
        return extract(frozen, picture, count, work / name, progress)

    scenes = of("scenes", lambda number: scene(pictures, IMAGE_SIZE, (seed, 4, number)), SCENES)
    views = [of("plain", lambda row: plain(images[row], IMAGE_SIZE), len(images))]
    for way in range(1, VARIED_VIEWS + 1):

        def picture(row: int, way: int = way) -> Pixels:
            return varied(images[row], IMAGE_SIZE, (seed, 3, way, row))

        views.append(of(f"varied-{way}", picture, len(images)))
    return views, scenes


def compile_frozen(trunk: Any) -> ov.CompiledModel:
    """The frozen stages of a timm EfficientNet, with the normalization of pixels inside: maps [n, side, side,
    channels]."""

    def frozen(images: Tensor) -> Tensor:
        maps: Tensor = trunk.blocks[:FROZEN_STAGES](trunk.bn1(trunk.conv_stem(images)))
        return maps.permute(0, 2, 3, 1)

    return _compile(_Part(frozen, trunk))


def compile_trunk(trunk: Any) -> ov.CompiledModel:
    """The whole trunk, with the normalization of pixels inside: pooled features [n, 1280]."""
    return _compile(_Part(lambda images: trunk.forward_features(images).mean((2, 3)), trunk))


def _compile(module: nn.Module) -> ov.CompiledModel:
    example = torch.zeros(2, IMAGE_SIZE, IMAGE_SIZE, 3, dtype=torch.uint8)
    converted = traced(module.eval(), example, (-1, *example.shape[1:]))
    return ov.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})


def extract(part: ov.CompiledModel, picture: Callable[[int], Pixels], count: int, folder: Path, progress: bool) -> Maps:
    """The outputs of ``part`` for ``picture(0)`` to ``picture(count - 1)``, uint8 [size, size, 3], as a memory map.

    It is kept in ``folder``; rows that an earlier call finished are not computed again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finished_path = folder / "finished.json"
    finished = int(json.loads(finished_path.read_text())) if finished_path.exists() else 0
    shape = tuple(length.get_length() for length in list(part.output(0).partial_shape)[1:])
    maps = np.lib.format.open_memmap(
        folder / "maps.npy", "r+" if finished else "w+", np.float16, None if finished else (count, *shape)
    )
    with tqdm(total=count, initial=finished, desc=folder.name, disable=not progress) as bar:
        for number, start in enumerate(range(finished, count, BATCH)):
            stop = min(start + BATCH, count)
            maps[start:stop] = part(np.stack([picture(index) for index in range(start, stop)]))[0]
            bar.update(stop - start)
            if number % _SAVE_EVERY == 0 or stop == count:
                maps.flush()
                finished_path.write_text(json.dumps(stop))
    return maps
