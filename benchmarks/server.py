"""A variant's server as a process of its own."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from local.process import end, free_port

from .client import HOST, Client

_START_TIMEOUT = 120.0
_STOP_TIMEOUT = 10.0
_POLL = 0.002
# How long the first request may take: PyTorch's import on a busy machine, or a compiler.
_PATIENCE = {"handler_wait": "110s", "request_timeout": "110s"}


class ServerFailed(Exception):
    """The server ended, or answered its first request with an error; the message has the end of its log."""


class Server(NamedTuple):
    port: int
    process_id: int
    start_seconds: float
    """From the start of the process to the first right answer."""

    def peak(self) -> float:
        """MB (10⁶ bytes): the most that the process had since its first answer, and what its children share out."""
        children = psutil.Process(self.process_id).children(recursive=True)
        return peak_memory(self.process_id) + sum(child.memory_full_info().pss for child in children) / 1e6


def peak_memory(process_id: int) -> float:
    """Of resident memory, in MB (10⁶ bytes); 0 where the system has no /proc, and when the process has ended."""
    status = Path(f"/proc/{process_id}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text() if status.exists() else "")
    return int(found[1]) * 1024 / 1e6 if found else 0


@contextmanager
def serving(
    folder: Path, environment: Mapping[str, str], photo: bytes, cores: Sequence[int] | None = None
) -> Iterator[Server]:
    """Runs the function in ``folder`` until the block ends.

    Args:
        environment: all of the process's variables but the address, and how long a request may take.
        photo: what the first request sends, as soon as the port is open, as a gateway would.
        cores: those that it may use, if not all.

    Raises:
        ServerFailed: the first answer is not the right one.
    """
    port = free_port()
    log = folder / f"log-{port}"
    pinned = [] if cores is None else ["taskset", "--cpu-list", ",".join(map(str, cores))]
    command = [*pinned, sys.executable, "index.py"]
    variables = {**environment, **_PATIENCE, "upstream_url": f"http://{HOST}:{port}"}
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603
    try:
        with closing(Client(port)) as client:
            while (problem := client.post(photo).problem) == ConnectionRefusedError.__name__:
                if process.poll() is not None or time.perf_counter() - started > _START_TIMEOUT:
                    break
                time.sleep(_POLL)
        seconds = time.perf_counter() - started
        if problem:
            said = log.read_text(errors="replace")[-3000:]
            raise ServerFailed(f"{folder.name} answered its first request with {problem}:\n{said}")
        forget_peak = Path(f"/proc/{process.pid}/clear_refs")
        if forget_peak.exists():
            forget_peak.write_text("5")  # of resident memory (proc_pid_clear_refs(5))
        yield Server(port, process.pid, seconds)
    finally:
        end(process, _STOP_TIMEOUT)
