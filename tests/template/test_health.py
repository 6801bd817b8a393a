"""server/health.py: a stuck container becomes unhealthy and ends, a busy one does not."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.launch import wait_for
from tests.template.function import Start

HANDLER = """
import ctypes, time
def handle(event, context):
    seconds = float(event.query.get("seconds", 0))
    if event.path == "/sleep":
        time.sleep(seconds)
    if event.path == "/hold-the-interpreter":
        ctypes.PyDLL(None).sleep(int(seconds))
    if event.path == "/work":
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(10_000))
    return {"body": "done"}
"""


def small(folder: Path) -> dict[str, str]:
    return {"suppress_lock": "true", "TMPDIR": str(folder), "request_timeout": "1s", "stuck_timeout": "2s"}


def test_a_stuck_handler_makes_the_container_unhealthy_and_then_ends_it(start: Start, tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with start(HANDLER, **small(tmp_path)) as program, ThreadPoolExecutor(1) as clients:
        wait_for(lock.exists, program.output)
        begun = time.monotonic()
        stuck = clients.submit(requests.get, f"{program.url}/sleep?seconds=60")
        wait_for(lambda: not lock.exists(), program.output, 10)
        assert time.monotonic() - begun > 2.9  # its time, and then as long as it takes to count as stuck
        assert requests.get(program.url).text == "done"  # others that are here already are answered
        assert program.process.wait(10) == 1
        assert "time.sleep(seconds)" in program.output()
        with pytest.raises(requests.ConnectionError):
            stuck.result()


def test_an_interpreter_that_is_held_ends_the_process(start: Start, tmp_path: Path) -> None:
    with start(HANDLER, **small(tmp_path)) as program, ThreadPoolExecutor(1) as clients:
        requests.get(program.url)
        clients.submit(requests.get, f"{program.url}/hold-the-interpreter?seconds=30")
        assert program.process.wait(15) == 1
        assert "in handle" in program.output()  # where it was


def test_a_function_with_much_to_do_stays_healthy(start: Start, tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with start(HANDLER, **small(tmp_path), server_threads="8") as program, ThreadPoolExecutor(24) as clients:
        requests.get(program.url)
        end = time.monotonic() + 5
        statuses = set()
        while time.monotonic() < end:
            answers = clients.map(
                lambda _: requests.post(f"{program.url}/work?seconds=0.6", data=bytes(100_000)), range(24)
            )
            statuses |= {answer.status_code for answer in answers}
            assert lock.exists()
        assert statuses <= {200, 503}
        assert 200 in statuses
        assert program.process.poll() is None
