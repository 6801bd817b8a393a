"""What the frozen early stages make of each image, computed once and kept on disk.

Half of the training time would go into stages that never change. Their maps (float16, 40 kB an image) are kept in
NumPy files of the run folder, beside a count of the finished rows, so that an interrupted run goes on where it
stopped.
"""

import json
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

BATCH = 8
MAP_SHAPE = (13, 13, 120)
_SAVE_EVERY = 64

Pixels = NDArray[np.uint8]


def compile_for_features(module: nn.Module, image_size: int) -> ov.CompiledModel:
    """`module` for OpenVINO in float32; it takes pixels uint8 [n, image_size, image_size, 3]."""
    example = torch.zeros(2, image_size, image_size, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that it turns into a constant
        converted = ov.convert_model(module, example_input=example, input=[-1, image_size, image_size, 3])
    return ov.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})


def extract(
    early: ov.CompiledModel, draw: Callable[[int], Pixels], count: int, path: Path, progress: bool
) -> NDArray[np.float16]:
    """Maps float16 [count, 13, 13, 120] of the images `draw(0)` to `draw(count - 1)`, read-only, backed by `path`.

    Rows that an earlier call finished are not computed again. `draw` must give the same image for the same number.
    """
    finished_path = path.with_suffix(".json")
    shape = (count, *MAP_SHAPE)
    finished = 0
    if path.exists() and finished_path.exists():
        finished = min(count, int(json.loads(finished_path.read_text())))
    if finished < count:
        maps = np.lib.format.open_memmap(path, "r+" if finished else "w+", np.float16, None if finished else shape)
        starts = range(finished, count, BATCH)
        with (
            ThreadPoolExecutor(1) as pool,
            tqdm(total=count, initial=finished, desc=path.stem, disable=not progress) as bar,
        ):

            def batch(start: int) -> Pixels:
                return np.stack([draw(number) for number in range(start, min(start + BATCH, count))])

            upcoming = pool.submit(batch, finished)
            for number, start in enumerate(starts):
                pixels = upcoming.result()
                stop = start + len(pixels)
                if stop < count:
                    upcoming = pool.submit(batch, stop)
                maps[start:stop] = early(pixels)[0]
                bar.update(len(pixels))
                if number % _SAVE_EVERY == 0 or stop == count:
                    maps.flush()
                    finished_path.write_text(json.dumps(stop))
    stored: NDArray[np.float16] = np.load(path, mmap_mode="r")
    if stored.shape != shape:
        raise ValueError(f"{path}: holds maps {stored.shape}, not {shape}; remove it to compute them again")
    return stored
