"""The time of a request."""

import threading
import time
from collections.abc import Callable

import pytest

from backend.clip.deadline import Deadline
from backend.clip.errors import Busy


def test_a_request_whose_time_is_over_or_whose_caller_has_gone_begins_nothing() -> None:
    Deadline(time.monotonic() + 60, lambda: False).require()
    for deadline in (Deadline(time.monotonic() - 1, lambda: False), Deadline(time.monotonic() + 60, lambda: True)):
        with pytest.raises(Busy), deadline.turn(threading.Lock()):
            pytest.fail("begun")


@pytest.mark.parametrize("kind", [threading.Lock, threading.Semaphore])
def test_a_turn_is_waited_for_and_the_wait_is_counted(kind: Callable[[], threading.Semaphore]) -> None:
    lock = kind()
    lock.acquire()
    threading.Timer(0.2, lock.release).start()
    deadline = Deadline(time.monotonic() + 60, lambda: False)

    with deadline.turn(lock):
        assert not lock.acquire(blocking=False)

    assert 0.15 < deadline.waited < 10
    assert lock.acquire(blocking=False)


def test_a_turn_that_does_not_come_in_time() -> None:
    lock = threading.Lock()
    lock.acquire()
    deadline = Deadline(time.monotonic() + 0.2, lambda: False)

    with pytest.raises(Busy), deadline.turn(lock):
        pytest.fail("begun")

    assert deadline.waited >= 0.2


def test_who_leaves_the_line_does_not_hold_it_up() -> None:
    lock = threading.Lock()
    lock.acquire()
    gone = threading.Event()
    threading.Timer(0.1, gone.set).start()

    with pytest.raises(Busy), Deadline(time.monotonic() + 60, gone.is_set).turn(lock):
        pytest.fail("begun")

    lock.release()
    assert lock.acquire(blocking=False)
