"""What of the image tower follows its map (``export/explain.py``), for its output of parts of a picture."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..inference.engine import Runner, compile_after, compile_tower
from ..inference.image_tower import DEFAULT_FILE, MAP
from ..priority_semaphore import PrioritySemaphore

FILE = "explain.xml"
"""In an exported model folder, what computes the outputs from the map; otherwise the image tower itself has it."""


class Head:
    """May be called from any number of threads. What it computes with is loaded at the first call."""

    def __init__(self, folder: Path, precision: str) -> None:
        """``folder``: an exported model with a map. ``precision``: "f32", "bf16" or "f16"."""
        self._folder = folder
        self._precision = precision
        self._turns = PrioritySemaphore(1)
        self._runner: Runner | None = None

    def outputs(self, parts: NDArray[np.float32], deadline: Deadline) -> NDArray[np.float32]:
        """The tower's last output, the logits of fine classes or else the embedding, for parts of its map.

        Args:
            parts: float32 [n, ...], of the same shape in every call.
            deadline: of the request.

        Raises:
            Busy: the time of the request is over, or its caller has gone.
        """
        with self._turns.take(deadline.images, deadline):
            if self._runner is None:
                self._runner = self._load(parts.shape)
            return self._runner.infer([np.ascontiguousarray(parts)])[-1].copy()

    def _load(self, shape: tuple[int, ...]) -> Runner:
        path = self._folder / FILE
        if path.exists():
            return Runner(compile_tower(path, batch=1, precision=self._precision))
        return Runner(compile_after(self._folder / DEFAULT_FILE, MAP, shape, self._precision))
