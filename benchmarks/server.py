"""A variant's server as a process of its own."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.process import end, free_port

_START_TIMEOUT = 120.0
_STOP_TIMEOUT = 10.0
_POLL = 0.002
_LOG_END = 3000
_FIELDS = ("VmRSS", "VmHWM")


class ServerFailed(Exception):
    """The server ended, or answered its first request with an error; the message has the end of its log."""


@dataclass(frozen=True)
class Memory:
    """Resident memory in MB (10⁶ bytes), None where the system has no /proc."""

    now: float | None
    peak: float | None


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    process: subprocess.Popen[bytes]
    start_seconds: float
    """From the start of the process to the first answer with status 200."""

    def peak(self) -> float | None:
        """MB (10⁶ bytes): the most that the process had since its first answer, and what its children share out."""
        own = memory_of(self.process.pid).peak
        children = psutil.Process(self.process.pid).children(recursive=True)
        return None if own is None else own + sum(child.memory_full_info().pss for child in children) / 1e6


def memory_of(pid: int) -> Memory:
    """Of any process."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return Memory(None, None)
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return Memory(*(round(int(fields[name].split()[0]) * 1024 / 1e6, 1) for name in _FIELDS))


def _forget_peak(pid: int) -> None:
    """Linux counts the peak of a process's resident memory from here on (proc_pid_clear_refs(5))."""
    clear = Path(f"/proc/{pid}/clear_refs")
    if clear.exists():
        clear.write_text("5")


@contextmanager
def serving(
    folder: Path, environment: Mapping[str, str], body: bytes, cores: Sequence[int] | None = None
) -> Iterator[Server]:
    """Runs the function in ``folder`` until the block ends.

    Args:
        environment: all of the process's variables but the address.
        body: what the first request sends.
        cores: those that it may use, if not all.

    Raises:
        ServerFailed: there is no first answer with status 200.
    """
    host, port = "127.0.0.1", free_port()
    log = folder / f"log-{port}"
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            [*_on(cores), sys.executable, "index.py"],
            cwd=folder,
            env={**environment, "upstream_url": f"http://{host}:{port}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        status = _first_status(host, port, process, body)
        if status != 200:
            raise ServerFailed(f"{folder.name} answered its first request with {status}:\n{_end_of(log)}")
        seconds = time.perf_counter() - started
        _forget_peak(process.pid)
        yield Server(host, port, process, seconds)
    finally:
        end(process, _STOP_TIMEOUT)


def _on(cores: Sequence[int] | None) -> list[str]:
    return [] if cores is None else ["taskset", "--cpu-list", ",".join(map(str, cores))]


def _first_status(host: str, port: int, process: subprocess.Popen[bytes], body: bytes) -> int | str:
    """The request is sent as soon as the port is open, as a gateway would."""
    end = time.monotonic() + _START_TIMEOUT
    while process.poll() is None and time.monotonic() < end:
        with suppress(ConnectionRefusedError):
            connection = http.client.HTTPConnection(host, port, timeout=_START_TIMEOUT)
            try:
                connection.request("POST", "/", body)
                answer = connection.getresponse()
                answer.read()
                return answer.status
            except (TimeoutError, http.client.HTTPException) as error:
                return repr(error)
            finally:
                connection.close()
        time.sleep(_POLL)
    return "nothing"


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-_LOG_END:]
