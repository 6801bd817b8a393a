"""Places at ``clip``: only so many at a time, the others in the order in which they came."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from frontend.index.errors import Failure
from frontend.index.places import Places
from tests.launch import wait_for


def test_only_so_many_at_a_time_in_order() -> None:
    places, inside, order = Places(2), threading.Semaphore(0), []
    most, now, lock = 0, 0, threading.Lock()

    def pass_through(number: int) -> None:
        nonlocal most, now
        with places.take(10, lambda: False):
            with lock:
                order.append(number)
                now += 1
                most = max(most, now)
            assert inside.acquire(timeout=10)
            with lock:
                now -= 1

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(pass_through, number)
            wait_for(lambda: len(order) + len(places._waiting) == number + 1, "does not wait")  # noqa: B023
        inside.release(8)

    assert most == 2
    assert order == list(range(8))


def test_who_waits_too_long_is_told_to_come_back() -> None:
    places = Places(1)
    with places.take(1, lambda: False):
        with pytest.raises(Failure) as caught, places.take(0.05, lambda: False):
            pass
        assert (caught.value.code, caught.value.status) == ("busy", 503)
        assert int(caught.value.headers["Retry-After"]) > 0
        with pytest.raises(Failure), places.take(60, lambda: True):
            pass
    with places.take(0, lambda: False):
        pass


def test_more_places_let_those_in_who_wait() -> None:
    places, entered = Places(1), threading.Event()

    def enter() -> None:
        with places.take(10, lambda: False):
            entered.set()

    with ThreadPoolExecutor(1) as pool, places.take(1, lambda: False):
        pool.submit(enter)
        places.resize(0)
        assert entered.wait(10)
