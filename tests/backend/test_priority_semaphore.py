import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from backend.clip.deadline import Deadline
from backend.clip.errors import Busy
from backend.clip.priority_semaphore import PrioritySemaphore
from tests.launch import wait_for


def deadline(seconds: float = 60, abandoned: Callable[[], bool] = lambda: False) -> Deadline:
    return Deadline(time.monotonic() + seconds, abandoned)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([3.0, 1.0, 2.0, 1.0], [1, 0, 3, 2]),
        ([9.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1, 0, 2, 3, 4, 5]),
        ([math.inf, 5.0, math.inf, 1.0], [3, 1, 0, 2]),
    ],
)
def test_the_cheapest_and_the_first_are_next_in_turn(costs: list[float], expected: list[int]) -> None:
    """What has an infinite cost is last, however long it has waited."""
    turns, order = PrioritySemaphore(1), []

    def pass_through(number: int) -> None:
        with turns.take(costs[number], deadline()):
            order.append(number)

    with ThreadPoolExecutor(len(costs)) as pool, turns.take(0, deadline()):
        for number in range(len(costs)):
            pool.submit(pass_through, number)
            wait_for(lambda: len(turns._waiting) == number + 1, "does not wait")  # noqa: B023

    assert order == expected


def test_only_so_many_are_inside() -> None:
    turns, inside, most, lock = PrioritySemaphore(3), 0, 0, threading.Lock()
    three = threading.Barrier(3, timeout=20)

    def pass_through() -> None:
        nonlocal inside, most
        with turns.take(0, deadline()):
            with lock:
                inside += 1
                most = max(most, inside)
            three.wait()
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pool:
        passed = [pool.submit(pass_through) for _ in range(30)]

    assert [one.exception() for one in passed] == [None] * 30
    assert most == 3


def test_one_waits_for_half_of_its_time_and_no_longer() -> None:
    turns = PrioritySemaphore(1)
    mine = deadline(1)
    with turns.take(0, deadline()), pytest.raises(Busy), turns.take(0, mine):
        pass
    assert 0.4 < mine.left() < 0.6
    assert 0.4 < mine.waited < 0.6


def test_a_request_whose_caller_has_gone_keeps_no_place() -> None:
    turns, gone = PrioritySemaphore(1), threading.Event()

    def pass_through() -> None:
        with turns.take(0, deadline(abandoned=gone.is_set)):
            pytest.fail("nobody waits for this")

    with ThreadPoolExecutor(1) as pool, turns.take(0, deadline()):
        future: Future[None] = pool.submit(pass_through)
        wait_for(lambda: bool(turns._waiting), "does not wait")
        gone.set()
        with pytest.raises(Busy):
            future.result(1)

    with turns.take(0, deadline(1)):
        pass


def test_an_error_inside_frees_the_place() -> None:
    turns = PrioritySemaphore(1)
    with pytest.raises(ValueError, match="mine"), turns.take(0, deadline()):
        raise ValueError("mine")
    with turns.take(0, deadline(1)):
        pass
