"""The image tower of an exported model, for any number of threads."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..priority_semaphore import PrioritySemaphore
from .batches import Batches, Rows
from .engine import Runner, compile_tower

FILES = {"int8": "image.int8.xml"}
"""The tower's file in the folder, where it is not ``DEFAULT_FILE``, by precision."""
DEFAULT_FILE = "image.xml"
MAP = "map"
"""The last output of towers that can say what of a picture counted, see ``explanation.py``."""
_BATCH = 8
# Where images are not batched, one is computed, and the next one is on its way to the engine.
_TURNS = 2
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
        outputs = self._tower.outputs
        self.has_map = MAP in outputs[-1].get_names()
        self._count = len(outputs) - self.has_map
        # A thread's own buffers; of batches there is one at a time, and they share theirs.
        self._local: Any = SimpleNamespace() if batched else threading.local()
        self._batches = Batches(self._infer, _BATCH) if batched else None
        self._turns = PrioritySemaphore(_TURNS)

    def expect(self) -> AbstractContextManager[None]:
        """In the block, this thread decodes an image and calls ``infer`` with it; see ``Batches.expect``."""
        return self._batches.expect() if self._batches else nullcontext()

    def infer(self, pixels: NDArray[np.uint8], deadline: Deadline, *, with_map: bool = False) -> Rows:
        """Compute the embedding of an image, and the logits of its fine classes where the tower has some.

        Args:
            pixels: uint8 [height, width, 3].
            deadline: of the request; who has fewer images left goes first.
            with_map: whether the tower's map comes last; it is not copied otherwise.

        Raises:
            Busy: the time of the request is over, or its caller has gone.
        """
        count = self._count + with_map
        if self._batches is not None:
            return self._batches.infer(pixels, deadline, count)
        with self._turns.take(deadline.images, deadline):
            return [output[0].copy() for output in self._infer(pixels[np.newaxis])[:count]]

    def _infer(self, images: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        runner: Runner | None = getattr(self._local, "runner", None)
        if runner is None:
            runner = self._local.runner = Runner(self._tower)
        self._observe_batch(len(images))
        return runner.infer([images])
