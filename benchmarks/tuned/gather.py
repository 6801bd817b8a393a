"""Runs requests that wait for the engine in one batch."""

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

Outputs = list[NDArray[np.float32]]


class Gatherer:
    """Nothing waits for a batch to fill: what came while the engine was busy is the next batch."""

    def __init__(self, tower: Any, limit: int) -> None:
        self._request = tower.create_infer_request()
        self._limit = limit
        self._waiting: SimpleQueue[tuple[NDArray[np.uint8], Future[Outputs]]] = SimpleQueue()
        Thread(target=self._run, daemon=True).start()

    def infer(self, pixels: NDArray[np.uint8]) -> Outputs:
        """The tower's outputs for one image."""
        future: Future[Outputs] = Future()
        self._waiting.put((pixels, future))
        return future.result()

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            try:
                while len(batch) < self._limit:
                    batch.append(self._waiting.get_nowait())
            except Empty:
                pass
            try:
                self._request.infer([np.stack([pixels for pixels, _ in batch])])
                outputs = [output.data.copy() for output in self._request.output_tensors]
            except Exception as error:
                for _, future in batch:
                    future.set_exception(error)
            else:
                for row, (_, future) in enumerate(batch):
                    future.set_result([output[row] for output in outputs])
