"""The image tower of an exported model, for any number of threads."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .batches import Batches, Rows
from .engine import compile_tower

FILES = {"int8": "image.int8.xml"}
"""The tower's file in the folder, where it is not ``DEFAULT_FILE``, by precision."""
DEFAULT_FILE = "image.xml"
_BATCH = 8
# If a tower's weights fit into the processor's cache, batches gain nothing, and a fixed batch of one image is faster.
_CACHED_BYTES = 32 << 20


class ImageTower:
    def __init__(self, folder: Path, precision: str, observe_batch: Callable[[int], None] = lambda size: None) -> None:
        """Load the tower of the exported model in ``folder``.

        Args:
            precision: one of ``PRECISIONS``.
            observe_batch: is told of each run how many images it takes.
        """
        self._observe_batch = observe_batch
        path = folder / FILES.get(precision, DEFAULT_FILE)
        batched = path.with_suffix(".bin").stat().st_size > _CACHED_BYTES
        computed = "f32" if precision == "int8" else precision
        self._tower = compile_tower(path, batch=None if batched else 1, precision=computed)
        self._local = threading.local()
        self._batches = Batches(self._infer, _BATCH) if batched else None

    def infer(self, pixels: NDArray[np.uint8]) -> Rows:
        """The embedding of an image, uint8 [height, width, 3], and the logits of its fine classes where it has some."""
        if self._batches is not None:
            return self._batches.infer(pixels)
        return [output[0].copy() for output in self._infer(pixels[np.newaxis])]

    def _infer(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._tower.create_infer_request()
        self._observe_batch(len(images))
        request.infer([images])
        return [output.data for output in request.output_tensors]
