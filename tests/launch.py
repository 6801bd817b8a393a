"""Starts and stops programs of this project from the command line, as a user does."""

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Running:
    """A running program: its URL without a trailing slash, its process, and the file with its output."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


_ports = itertools.cycle(random.sample(range(20_000, 32_000), 12_000))


def free_port() -> int:
    """A free port outside the range from which the system takes the ports of outgoing connections."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError


@contextmanager
def running(
    command: list[str],
    url: str,
    is_up: Callable[[Running], bool],
    cwd: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Runs a command until the block ends. If it is not up within a minute the test fails with its output."""
    with tempfile.TemporaryDirectory(prefix="test-") as folder:
        log = Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT)
        program = Running(url, process, log)
        try:
            wait_for(lambda: process.poll() is not None or is_up(program), lambda: f"not up:\n{program.output()}")
            if process.poll() is not None:
                pytest.fail(f"ended with status {process.returncode}:\n{program.output()}")
            yield program
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def local(*arguments: str) -> Iterator[Running]:
    """``python -m local`` on a free port, ready for requests."""
    port = free_port()
    command = [sys.executable, "-m", "local", "--port", str(port), *arguments]
    with running(command, f"http://127.0.0.1:{port}", lambda program: "\nReady." in program.output()) as program:
        yield program


def wait_for(condition: Callable[[], bool], message: Callable[[], str] | str, seconds: float = 60) -> None:
    """Waits until the condition is true; after ``seconds`` the test fails with the message."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(message if isinstance(message, str) else message())
        time.sleep(0.02)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a module as a command and waits for its end."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
