"""Runs the images of several requests in one batch. A lone request waits for nobody."""

import operator
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ..deadline import Deadline
from ..errors import Busy

Rows = list[NDArray[np.float32]]
"""For one image, its row of each output of the model."""

# A batch waits for images that are being decoded as long as something happens in every interval of this length,
_DECODING_SECONDS = 0.005
# and for callers that have just been answered, who often send the next image at once, as long as in this one.
_ANSWERED_SECONDS = 0.002
# But never for longer than this.
_LONGEST_SECONDS = 0.03
# How often a request that waits looks whether its time is over.
_LOOK_EVERY = 0.1


class _Waiting:
    def __init__(self, image: NDArray[np.uint8], count: int | None, rank: int) -> None:
        self.image = image
        self.count = count
        self.rank = rank
        self.rows: Rows | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.rows is not None or self.error is not None


class Batches:
    """Runs one batch at a time; the images that arrive meanwhile are the next batch.

    The threads of the requests run it themselves, each time one of those that wait: a lone request pays for no other
    thread. May be used by any number of threads.

    Decoders and the model would take the processors from each other, and a model that computes in several threads waits
    for the one that is held up. So a batch begins a few milliseconds later if images are being decoded meanwhile, or if
    several callers were there when the last one ended.
    """

    def __init__(self, model: Callable[[NDArray[np.uint8]], Sequence[NDArray[np.float32]]], limit: int) -> None:
        """``model`` takes up to ``limit`` images, stacked, and returns its outputs, each with a row for every image."""
        self._model = model
        self._limit = limit
        self._waiting: list[_Waiting] = []
        self._expected: set[int] = set()
        self._busy = False
        self._callers = 0  # that were answered or waited when the last batch ended
        self._heard = False  # whether anything has happened that _gather waits for
        lock = threading.Lock()
        self._finished = threading.Condition(lock)
        self._happened = threading.Condition(lock)

    @contextmanager
    def expect(self) -> Iterator[None]:
        """In the block, this thread decodes an image and calls ``infer`` with it."""
        thread = threading.get_ident()
        with self._happened:
            self._expected.add(thread)
            self._tell()
        try:
            yield
        finally:
            with self._happened:
                self._expected.discard(thread)
                self._tell()

    def infer(self, image: NDArray[np.uint8], deadline: Deadline, count: int | None = None) -> Rows:
        """The model's first ``count`` outputs for one image. An error of the model is raised for its whole batch.

        Where more images wait than a batch takes, it takes the one that came first, and else those of requests that
        have the fewest left.

        Raises:
            Busy: the time of the request is over, or its caller has gone, before its batch has begun.
        """
        mine = _Waiting(image, count, deadline.images)
        with self._happened:
            self._expected.discard(threading.get_ident())
            self._waiting.append(mine)
            self._tell()
        while batch := self._next(mine, deadline):
            try:
                self._run(batch)
            finally:
                with self._finished:
                    self._busy = False
                    self._callers = len(batch) + len(self._waiting)
                    self._finished.notify_all()
        if mine.error is not None:
            raise mine.error
        assert mine.rows is not None  # noqa: S101
        return mine.rows

    def _next(self, mine: _Waiting, deadline: Deadline) -> list[_Waiting]:
        """Wait until another thread has computed ``mine``, or the model is free; then return the batch to run."""
        with self._finished:
            while not self._finished.wait_for(lambda: mine.done or not self._busy, _LOOK_EVERY):
                if mine in self._waiting:  # else it is being computed
                    self._leave(mine, deadline)
            if mine.done:
                return []
            self._busy = True
            self._gather()
            first, *others = self._waiting
            ranked = [first, *sorted(others, key=operator.attrgetter("rank"))]
            batch = ranked[: self._limit]
            self._waiting = [one for one in self._waiting if one not in batch]
            return batch

    def _leave(self, mine: _Waiting, deadline: Deadline) -> None:
        try:
            deadline.require()
        except Busy:
            self._waiting.remove(mine)
            raise

    def _gather(self) -> None:
        """Wait for the images that are likely to arrive soon."""
        end = time.monotonic() + _LONGEST_SECONDS
        while len(self._waiting) < self._limit and (self._expected or len(self._waiting) < self._callers):
            self._heard = False
            interval = _DECODING_SECONDS if self._expected else _ANSWERED_SECONDS
            if not self._happened.wait_for(lambda: self._heard, min(interval, end - time.monotonic())):
                return

    def _tell(self) -> None:
        self._heard = True
        self._happened.notify()

    def _run(self, batch: Sequence[_Waiting]) -> None:
        try:
            outputs = self._model(np.stack([one.image for one in batch]))
            for row, one in enumerate(batch):
                one.rows = [output[row].copy() for output in outputs[: one.count]]
        except Exception as error:
            for one in batch:
                one.error = error
