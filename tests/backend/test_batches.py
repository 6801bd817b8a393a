"""Requests that come while the model computes go through it together; none waits for a batch to fill."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.clip.batches import Batches

Images = NDArray[np.uint8]


class Model:
    """Twice the first pixel of each image, and no sooner than it is let go on."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.entered = threading.Semaphore(0)
        self.goes_on = threading.Semaphore(0)

    def __call__(self, images: Images) -> Sequence[NDArray[np.float32]]:
        self.sizes.append(len(images))
        self.entered.release()
        assert self.goes_on.acquire(timeout=10)
        if 255 in images:
            raise ValueError("no such pixel")
        firsts = images[:, 0, 0, 0].astype(np.float32)
        return [2 * firsts[:, None], -firsts[:, None]]


def in_thread(batches: Batches, value: int, answers: dict[int, object]) -> threading.Thread:
    def run() -> None:
        try:
            answers[value] = [row.tolist() for row in batches.infer(np.full((1, 1, 3), value, np.uint8))]
        except ValueError as error:
            answers[value] = str(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it took too long")


@pytest.mark.parametrize(("waiting", "sizes"), [(0, [1]), (3, [1, 3]), (10, [1, 4, 4, 2])])
def test_waiting_requests_are_the_next_batch(waiting: int, sizes: list[int]) -> None:
    model = Model()
    answers: dict[int, object] = {}
    batches = Batches(model, limit=4)
    threads = [in_thread(batches, 0, answers)]
    assert model.entered.acquire(timeout=10)
    threads += [in_thread(batches, value, answers) for value in range(1, waiting + 1)]
    until(lambda: len(batches._waiting) == waiting)

    model.goes_on.release(len(sizes))
    for thread in threads:
        thread.join(10)

    assert model.sizes == sizes
    assert answers == {value: [[2.0 * value], [-float(value)]] for value in range(waiting + 1)}


def test_an_error_is_told_to_all_of_its_batch_and_to_no_other() -> None:
    model = Model()
    answers: dict[int, object] = {}
    batches = Batches(model, limit=2)
    threads = [in_thread(batches, 0, answers)]
    assert model.entered.acquire(timeout=10)
    for count, value in enumerate([255, 1, 2], 1):
        threads.append(in_thread(batches, value, answers))
        until(lambda count=count: len(batches._waiting) == count)  # type: ignore[misc]

    model.goes_on.release(3)
    for thread in threads:
        thread.join(10)

    assert answers == {0: [[0.0], [0.0]], 255: "no such pixel", 1: "no such pixel", 2: [[4.0], [-2.0]]}
