"""Requests that wait for the engine go through it together."""

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

Embedding = NDArray[np.float32]


class Gatherer:
    """Nothing waits for a batch to fill: what came while the engine was busy is the next batch."""

    def __init__(self, tower: Any, limit: int) -> None:
        self._request = tower.create_infer_request()
        self._limit = limit
        self._waiting: SimpleQueue[tuple[NDArray[np.uint8], Future[Embedding]]] = SimpleQueue()
        Thread(target=self._run, daemon=True).start()

    def embed(self, pixels: NDArray[np.uint8]) -> Embedding:
        future: Future[Embedding] = Future()
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
                rows = self._request.get_output_tensor().data.copy()
            except Exception as error:
                for _, future in batch:
                    future.set_exception(error)
            else:
                for row, (_, future) in zip(rows, batch, strict=True):
                    future.set_result(row)
