"""Faults around clip: signals, killed processes, stalled clients, a read-only or full /tmp, too many requests."""

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import psutil
import pytest
import requests

from tests.functions import clip, verdict
from tests.launch import PROJECT, Running, local, wait_for
from tests.pictures import encoded, photo
from tests.processes import MEGABYTE

PHOTO = encoded(photo((640, 480)), "JPEG")
BUDGET = 26
"""Seconds within which index answers."""
EXPECTED = (200, 429, 502, 503)


@cache
def large() -> bytes:
    return encoded(photo((3000, 2000)), "PNG")


@contextmanager
def clients(count: int, ask: Callable[[], int]) -> Iterator[Counter[int]]:
    """Runs clients that send one request after the other while the block runs, and counts the statuses."""
    answers: Counter[int] = Counter()
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            answers[ask()] += 1

    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(run) for _ in range(count)]
        try:
            yield answers
        finally:
            stop.set()
        for client in running:
            client.result()


def test_sigterm_loses_no_accepted_request() -> None:
    with clip() as program:
        with clients(16, lambda: requests.post(program.url, data=PHOTO, timeout=60).status_code) as answers:
            wait_for(lambda: answers.total() > 16, "no client is answered")
            program.process.send_signal(signal.SIGTERM)
            after = answers.total()
            wait_for(lambda: answers.total() > after + 32 or program.process.poll() is not None, "no more are answered")

        assert set(answers) == {200}
        assert program.process.poll() is None


def process_of(function: str, program: Running) -> psutil.Process:
    children = psutil.Process(program.process.pid).children()
    return next(child for child in children if Path(child.cwd()).name == function)


def test_index_outlives_clip(application: Running) -> None:
    url = application.url + "/function/index"

    def ask() -> int:
        start = time.monotonic()
        answer = requests.post(url, data=PHOTO, timeout=60)
        assert time.monotonic() - start < BUDGET
        assert ("predictions" if answer.status_code == 200 else "error") in answer.json()
        return answer.status_code

    with clients(8, ask) as answers:
        for _ in range(2):
            process_of("clip", application).kill()
            wait_for(lambda: ask() == 200, application.output)

    assert set(answers) <= set(EXPECTED)
    assert answers[200] > 0
    assert ask() == 200


def test_more_than_max_inflight(tmp_path: Path) -> None:
    """Beyond it the watchdog answers 429; index waits for a place, and then answers with a Retry-After."""
    stack = (PROJECT / "stack.yml").read_text()
    for name in ("handler: ./frontend", "handler: ./backend"):
        stack = stack.replace(name, name.replace("./", f"{PROJECT}/"))
    (tmp_path / "stack.yml").write_text(stack.replace('max_inflight: "16"', 'max_inflight: "1"'))
    with local("--yaml", str(tmp_path / "stack.yml")) as program:
        url = program.url + "/function/"

        photos = [large()] * 12
        with ThreadPoolExecutor(12) as pool:
            direct = list(pool.map(lambda data: requests.post(url + "clip", data=data, timeout=60), photos))
            through = list(pool.map(lambda _: requests.post(url + "index", data=PHOTO, timeout=60), range(12)))

    assert {answer.status_code for answer in direct} == {200, 429}
    assert {answer.status_code for answer in through} <= {200, 429}
    served = sum(answer.status_code == 200 for answer in through)
    assert served > sum(answer.status_code == 200 for answer in direct)
    for answer in through:
        if answer.status_code == 429:
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json()["error"]["code"] == "too_many_requests"


def test_clients_that_stall_or_never_read_block_no_others() -> None:
    with clip() as program, ExitStack() as stalled:
        port = int(program.url.rpartition(":")[2])
        head = f"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {len(PHOTO)}\r\n\r\n".encode()
        for number in range(100):
            client = stalled.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            if number % 2:
                client.sendall(head + PHOTO[: len(PHOTO) // 2])
            else:
                client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 200)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: requests.post(program.url, data=PHOTO, timeout=60), range(40)))

        assert [verdict(answer) for answer in answers] == ["ranked"] * 40


def _may_mount() -> bool:
    """Whether a process may have mounts of its own: Linux as root does, most containers do not."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="another /tmp for one process needs unshare and the right to mount")
@pytest.mark.parametrize("trouble", ["read-only", "full"])
def test_a_read_only_or_full_tmp(trouble: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    full = f"mount -t tmpfs -o size=64k tmpfs {disk} && (cat /dev/zero > {disk}/all 2>/dev/null || true) && "
    read_only = "".join(
        f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && " for folder in ("/tmp", "/var/tmp")
    )
    script = (full if trouble == "full" else "") + read_only + 'exec "$@"'
    wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"]
    with clip(wrapper=wrapper, TMPDIR=str(disk)) as program:
        padding = b"x" * (12 * MEGABYTE)
        form = {"image": ("photo.jpg", PHOTO + padding)}

        answers = [
            requests.post(program.url, data=PHOTO, timeout=60),
            requests.post(program.url, data=PHOTO + padding, timeout=60),
            requests.post(program.url, files=form, timeout=60),
            requests.post(program.url, data=large(), timeout=60),
        ]

        assert [verdict(answer) for answer in answers] == ["ranked"] * 4
        assert "Traceback" not in program.output()
