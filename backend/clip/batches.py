"""Runs the images of several requests in one batch. No request waits for a batch to fill."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Rows = list[NDArray[np.float32]]
"""For one image, its row of each output of the model."""


class _Waiting:
    def __init__(self, image: NDArray[np.uint8], count: int | None) -> None:
        self.image = image
        self.count = count
        self.rows: Rows | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.rows is not None or self.error is not None


class Batches:
    """Runs one batch at a time; the images that arrive meanwhile are the next batch.

    The threads of the requests run it themselves, each time one of those that wait: a lone request pays for no other
    thread. May be used by any number of threads.
    """

    def __init__(self, model: Callable[[NDArray[np.uint8]], Sequence[NDArray[np.float32]]], limit: int) -> None:
        """``model`` takes up to ``limit`` images, stacked, and returns its outputs, each with a row for every image."""
        self._model = model
        self._limit = limit
        self._waiting: list[_Waiting] = []
        self._busy = False
        self._changed = threading.Condition()

    def infer(self, image: NDArray[np.uint8], count: int | None = None) -> Rows:
        """The model's first ``count`` outputs for one image. An error of the model is raised for its whole batch."""
        mine = _Waiting(image, count)
        with self._changed:
            self._waiting.append(mine)
        while batch := self._next(mine):
            try:
                self._run(batch)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
        if mine.error is not None:
            raise mine.error
        assert mine.rows is not None  # noqa: S101
        return mine.rows

    def _next(self, mine: _Waiting) -> list[_Waiting]:
        """Wait until another thread has computed ``mine``, or the model is free; then return the batch to run."""
        with self._changed:
            self._changed.wait_for(lambda: mine.done or not self._busy)
            if mine.done:
                return []
            batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            self._busy = True
            return batch

    def _run(self, batch: Sequence[_Waiting]) -> None:
        try:
            outputs = self._model(np.stack([one.image for one in batch]))
            for row, one in enumerate(batch):
                one.rows = [output[row].copy() for output in outputs[: one.count]]
        except Exception as error:
            for one in batch:
                one.error = error
