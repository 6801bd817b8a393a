"""Requests that come while the model computes go through it together; a lone one waits for nobody."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.clip.deadline import Deadline
from backend.clip.errors import Busy
from backend.clip.inference.batches import Batches
from tests.launch import wait_for

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
            answers[value] = [
                row.tolist() for row in batches.infer(np.full((1, 1, 3), value, np.uint8), Deadline.unlimited())
            ]
        except ValueError as error:
            answers[value] = str(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(("waiting", "sizes"), [(0, [1]), (3, [1, 3]), (10, [1, 4, 4, 2])])
def test_waiting_requests_are_the_next_batch(waiting: int, sizes: list[int]) -> None:
    model = Model()
    answers: dict[int, object] = {}
    batches = Batches(model, limit=4)
    threads = [in_thread(batches, 0, answers)]
    assert model.entered.acquire(timeout=10)
    threads += [in_thread(batches, value, answers) for value in range(1, waiting + 1)]
    wait_for(lambda: len(batches._waiting) == waiting, "none waits")

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
        wait_for(lambda count=count: len(batches._waiting) == count, "none waits")  # type: ignore[misc]

    model.goes_on.release(3)
    for thread in threads:
        thread.join(10)

    assert answers == {0: [[0.0], [0.0]], 255: "no such pixel", 1: "no such pixel", 2: [[4.0], [-2.0]]}


def decoded(batches: Batches, value: int, answers: dict[int, object], ready: threading.Event) -> threading.Thread:
    """A request whose image is being decoded until ``ready`` is set; no pixel can be 256."""

    def run() -> None:
        with suppress(OverflowError), batches.expect():
            assert ready.wait(10)
            answers[value] = [
                row.tolist() for row in batches.infer(np.full((1, 1, 3), value, np.uint8), Deadline.unlimited())
            ]

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: thread.ident in batches._expected, "it is not expected")
    return thread


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are so long that a test can tell them from none."""
    for name in ("_DECODING_SECONDS", "_ANSWERED_SECONDS", "_LONGEST_SECONDS"):
        monkeypatch.setattr(f"backend.clip.inference.batches.{name}", 30)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("value", "sizes"), [(1, [2]), (256, [1])], ids=["it arrives", "it cannot be decoded"])
def test_a_batch_waits_for_an_image_that_is_being_decoded(value: int, sizes: list[int]) -> None:
    model, ready = Model(), threading.Event()
    answers: dict[int, object] = {}
    batches = Batches(model, limit=4)
    decoding = decoded(batches, value, answers, ready)
    thread = in_thread(batches, 0, answers)
    assert not model.entered.acquire(timeout=0.1)

    ready.set()
    model.goes_on.release()
    for one in (decoding, thread):
        one.join(10)

    assert model.sizes == sizes
    assert 0 in answers


def test_a_batch_does_not_wait_for_an_image_that_takes_long() -> None:
    model, never = Model(), threading.Event()
    answers: dict[int, object] = {}
    batches = Batches(model, limit=4)
    decoding = decoded(batches, 1, answers, never)
    model.goes_on.release(2)

    in_thread(batches, 0, answers).join(10)

    assert answers == {0: [[0.0], [0.0]]}
    never.set()
    decoding.join(10)


@pytest.mark.usefixtures("patient")
def test_a_lone_request_waits_for_nobody() -> None:
    model = Model()
    answers: dict[int, object] = {}
    batches = Batches(model, limit=4)
    model.goes_on.release(3)

    for value in range(3):
        in_thread(batches, value, answers).join(10)

    assert model.sizes == [1, 1, 1]


@pytest.mark.usefixtures("patient")
def test_where_several_called_a_batch_waits_for_those_that_were_answered() -> None:
    model = Model()
    answers: dict[int, object] = {}
    batches = Batches(model, limit=4)
    threads = [in_thread(batches, 0, answers)]
    assert model.entered.acquire(timeout=10)
    threads.append(in_thread(batches, 1, answers))
    wait_for(lambda: len(batches._waiting) == 1, "none waits")
    model.goes_on.release()
    threads[0].join(10)
    assert not model.entered.acquire(timeout=0.1)

    threads.append(in_thread(batches, 2, answers))
    model.goes_on.release()
    for thread in threads:
        thread.join(10)

    assert model.sizes == [1, 2]


def test_a_batch_takes_the_first_and_then_who_has_the_least_left() -> None:
    model = Model()
    batches = Batches(model, limit=2)
    done: list[int] = []

    def run(value: int, images: int) -> None:
        deadline = Deadline(time.monotonic() + 60, lambda: False, images)
        batches.infer(np.full((1, 1, 3), value, np.uint8), deadline)
        done.append(value)

    threads = [threading.Thread(target=run, args=(0, 1))]
    threads[0].start()
    assert model.entered.acquire(timeout=10)
    for value, images in ((1, 64), (2, 64), (3, 64), (4, 1)):
        threads.append(threading.Thread(target=run, args=(value, images)))
        threads[-1].start()
        wait_for(lambda: len(batches._waiting) == value, "none waits")  # noqa: B023
    model.goes_on.release(2)
    wait_for(lambda: len(done) == 3, "not all are done")
    assert sorted(done) == [0, 1, 4]
    model.goes_on.release(2)
    for thread in threads:
        thread.join()


def test_who_waits_for_a_batch_leaves_when_the_time_is_over() -> None:
    model = Model()
    batches = Batches(model, limit=2)
    answers: dict[int, object] = {}
    first = in_thread(batches, 0, answers)
    assert model.entered.acquire(timeout=10)

    with pytest.raises(Busy):
        batches.infer(np.zeros((1, 1, 3), np.uint8), Deadline(time.monotonic() + 0.2, lambda: False))

    model.goes_on.release()
    first.join()
    assert model.sizes == [1]
