"""server/parser.py and server/body_memory.py: what is refused while it arrives, and how the refusal reaches a proxy."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.launch import Running, wait_for
from tests.template.function import SLOW, Start
from tests.template.wire import answer, connect, exchange, status_and_error

MB = 1_000_000
HEAD = b"POST /sha256 HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def as_a_proxy_sends(program: Running, size: int, pause: float = 0.0) -> tuple[int, str]:
    """Sends a chunked body as Go's proxies do: writes all of it, whatever is answered meanwhile, and takes it for a
    broken upload when the connection is closed in either direction before the body's end.
    """
    chunk = b"8000\r\n" + bytes(0x8000) + b"\r\n"
    sent = threading.Event()
    with closing(connect(program)) as sock, ThreadPoolExecutor(1) as writer:

        def write() -> None:
            sock.sendall(CHUNKED)
            for _ in range(size // 0x8000):
                sock.sendall(chunk)
                time.sleep(pause)
            sent.set()  # before the end is sent: the answer may come at once
            sock.sendall(b"0\r\n\r\n")

        writing = writer.submit(write)
        received = b""
        while block := sock.recv(65536):
            received += block
        assert sent.is_set(), "closed while the proxy was still sending"
        writing.result()
    return status_and_error(received)


@pytest.mark.parametrize("pause", [0.0, 0.002])
def test_a_proxy_that_sends_all_before_it_looks_receives_the_refusal(function: Running, pause: float) -> None:
    for _ in range(5):
        assert as_a_proxy_sends(function, 7 * MB, pause) == (413, "body_too_large")


def test_after_a_refusal_reading_ends_at_a_limit(function: Running) -> None:
    head = HEAD + b"Content-Length: 20000000\r\n\r\n"
    assert status_and_error(exchange(function, head)) == (413, "body_too_large")
    endless = exchange(function, CHUNKED, *[b"100000\r\n" + bytes(1 << 20) + b"\r\n"] * 12)
    assert status_and_error(endless) == (413, "body_too_large")


@pytest.mark.parametrize(
    "part", [b"POST / HT", CHUNKED, CHUNKED + b"5\r\nhe", HEAD + b"Content-Length: 9\r\n\r\n12345678"]
)
def test_a_request_that_takes_too_long_to_arrive_is_ended(start: Start, part: bytes) -> None:
    with start(body_timeout="1500ms") as program, closing(connect(program)) as sock:
        begun = time.monotonic()
        sock.sendall(part)
        assert status_and_error(answer(sock)) == (408, "request_timeout")
        assert 1 < time.monotonic() - begun < 5


def test_a_slow_body_is_ended_long_before_its_time_is_over(start: Start) -> None:
    with start(body_timeout="60s") as program, closing(connect(program)) as sock:
        begun = time.monotonic()
        sock.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        sock.settimeout(0.1)
        received = b""
        while not received and time.monotonic() - begun < 20:
            sock.send(b"x")
            try:
                received = sock.recv(65536)
            except TimeoutError:
                continue
        sock.settimeout(20)
        received += answer(sock)
        assert status_and_error(received) == (408, "request_timeout")
        assert 4 < time.monotonic() - begun < 12


HOLDING = """
import logging, time
def handle(event, context):
    if event.path == "/hold":
        logging.info("slow")
        time.sleep(float(event.query["seconds"]))
    return {"body": str(len(event.body))}
"""


def peak(program: Running) -> int:
    """The most that the process ever had in memory, in bytes."""
    status = Path(f"/proc/{program.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def test_large_bodies_take_turns_and_take_no_more_memory_than_they_may(start: Start) -> None:
    body = os.urandom(8 * MB)
    with start(HOLDING, max_buffered_bytes="20MB") as program, ThreadPoolExecutor(12) as clients:
        requests.post(program.url, data=body)
        before = psutil.Process(program.process.pid).memory_info().rss
        url = f"{program.url}/hold?seconds=0.2"
        answers = list(clients.map(lambda _: requests.post(url, data=iter([body[:MB], body[MB:]])), range(12)))
        assert [one.text for one in answers] == ["8000000"] * 12
        # The limit, the oldest one beyond it, and what 12 connections may hold without asking; 96 MB without a limit.
        assert peak(program) - before < 60 * MB


def test_a_body_that_waits_too_long_for_memory_is_refused_while_small_ones_pass(start: Start) -> None:
    body = bytes(3 * MB)
    settings = {"max_buffered_bytes": "2MB", "request_timeout": "9s"}
    with start(HOLDING, **settings) as program, ThreadPoolExecutor(5) as clients:
        first = clients.submit(requests.post, f"{program.url}/hold?seconds=6", data=body)
        wait_for(lambda: SLOW in program.output(), program.output)
        waiting = [clients.submit(as_a_proxy_sends, program, 3 * MB) for _ in range(3)]
        turned_away = clients.submit(requests.post, program.url, data=body)
        for _ in range(20):
            assert requests.post(program.url, data=bytes(500_000), timeout=2).text == "500000"
        assert [one.result() for one in waiting] == [(503, "busy")] * 3
        assert int(turned_away.result().headers["Retry-After"]) > 0
        assert first.result().text == "3000000"
        assert requests.post(program.url, data=body).text == "3000000"


def test_clients_that_go_away_give_their_memory_back(start: Start) -> None:
    with start(HOLDING, max_buffered_bytes="4MB") as program:
        for _ in range(3):
            with ExitStack() as stack:
                for _ in range(4):
                    sock = stack.enter_context(closing(connect(program)))
                    sock.sendall(HEAD + b"Content-Length: 3000000\r\n\r\n" + bytes(1_500_000))
            assert requests.post(program.url, data=bytes(3 * MB), timeout=4).text == "3000000"


def test_bodies_that_wait_for_each_other_do_not_wait_for_ever(start: Start) -> None:
    with start(HOLDING, max_buffered_bytes="4MB") as program, ExitStack() as stack:
        socks = [stack.enter_context(closing(connect(program))) for _ in range(3)]
        for sock in socks:  # together more than there is, each not done
            sock.sendall(HEAD.replace(b"Host", b"Connection: close\r\nHost") + b"Content-Length: 3000000\r\n\r\n")
            sock.sendall(bytes(1_500_000))
        time.sleep(0.5)
        with ThreadPoolExecutor(3) as clients:
            answers = list(clients.map(lambda sock: (sock.sendall(bytes(1_500_000)), answer(sock))[1], socks))
        assert all(one.endswith(b"3000000") for one in answers)


def requests_of(program: Running) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, program.output().splitlines()) if "status" in line]


def test_a_request_that_waited_for_a_thread_longer_than_its_time_is_not_begun(start: Start) -> None:
    with start(HOLDING, server_threads="1", request_timeout="1s") as program, ThreadPoolExecutor(2) as clients:
        first = clients.submit(requests.get, f"{program.url}/hold?seconds=2")
        wait_for(lambda: SLOW in program.output(), program.output)
        late = requests.post(program.url, data=b"late")
        assert (late.status_code, late.json()["error"]["code"]) == (503, "busy")
        assert "Retry-After" in late.headers
        assert first.result().text == "0"


def test_a_request_whose_caller_has_gone_is_not_begun(start: Start) -> None:
    with start(HOLDING, server_threads="1") as program, ThreadPoolExecutor(1) as clients:
        first = clients.submit(requests.get, f"{program.url}/hold?seconds=1")
        wait_for(lambda: SLOW in program.output(), program.output)
        for _ in range(5):
            with closing(connect(program)) as sock:
                sock.sendall(b"GET /hold?seconds=5 HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.05)
        assert first.result().text == "0"
        assert requests.get(program.url, timeout=2).text == "0"
        assert len(requests_of(program)) == 2


ABANDONED = """
import logging, time
def handle(event, context):
    seconds = context.deadline - time.monotonic()
    logging.info("slow")
    while not context.abandoned():
        time.sleep(0.05)
    logging.info("abandoned with %.1f s of %.1f s left", context.deadline - time.monotonic(), seconds)
    return {"body": ""}
"""


def test_a_handler_learns_that_its_caller_has_gone_and_how_much_time_there_was(start: Start) -> None:
    with start(ABANDONED, request_timeout="10s") as program:
        requests.get(f"{program.url}/ready")
        with closing(connect(program)) as sock:
            sock.sendall(HEAD + b"Content-Length: 2\r\n\r\nx")
            time.sleep(1.5)
            sock.sendall(b"y")
            wait_for(lambda: SLOW in program.output(), program.output)
        wait_for(lambda: "abandoned with" in program.output(), program.output, 5)
        line = next(line for line in map(json.loads, program.output().splitlines()) if "abandoned" in str(line))
        words = line["message"].split()
        assert 6 < float(words[2]) < float(words[5]) < 8.6  # the body's 1.5 s count
