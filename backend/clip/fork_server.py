"""The service's side of the decoding processes: it tells the server in ``decoder_process.py`` to fork and end them."""

import json
import math
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path

from .errors import Busy

# The server has one thread, or forking it would be unsafe; and its decoders, few, need no heaps of their own.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_ROOT = Path(__file__).parents[len((__package__ or "").split("."))]


@dataclass(frozen=True)
class Limits:
    """What a decoding process may take."""

    expected_seconds: float
    """Processor time, as a file's header says; what is over is not decoded but sent back. All times are longer where
    the processor is slower than the one that ``cost.py``'s figures were measured with."""
    seconds: float
    """Processor time beside 1.5 times the expected."""
    memory: int
    """Bytes of address space beside those that a new process has."""
    threads: int
    nice: int


@dataclass(frozen=True)
class Process:
    process_id: int
    connection: Connection

    def processor_seconds(self) -> float:
        """What it has used until now; infinity where the system does not tell."""
        with suppress(OSError):
            return time.clock_gettime((~self.process_id << 3) | 2)  # clock_getcpuclockid(3), which Python lacks
        return math.inf


class ForkServer:
    """Starts at once and in the background: it is ready when the model is. May be used by any number of threads.

    The processes have nothing of the service but a socket each, and end with it, whatever way it ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", f"{__package__}.decoder_process", str(theirs.fileno())],
                cwd=_ROOT,
                env=_ENVIRONMENT | os.environ,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                # Ctrl-C in a terminal is for the service, which answers what it has accepted first.
                start_new_session=True,
            )
        self._control = Connection(ours.detach())

    def fork(self, limits: Limits) -> Process:
        """A new process, in a few milliseconds.

        Raises:
            Busy: the system has none.
            EOFError, OSError: the server does not run, and cannot be started.
        """
        with self._lock:
            try:
                return self._fork(limits)
            except (EOFError, OSError):  # somebody has ended the server
                self.close()
                self._start()
                return self._fork(limits)

    def _fork(self, limits: Limits) -> Process:
        self._control.send_bytes(json.dumps({"fork": asdict(limits)}).encode())
        process_id = int(self._control.recv_bytes())
        if not process_id:
            raise Busy("The service has no process for this image. Try again in a few seconds.")
        return Process(process_id, Connection(recv_handle(self._control)))

    def end(self, process: Process) -> int:
        """End a process if it is still there. Returns its exit status, or minus the signal that has ended it."""
        process.connection.close()
        with self._lock, suppress(EOFError, OSError):  # without the server they all end
            self._control.send_bytes(json.dumps({"end": process.process_id}).encode())
            return int(self._control.recv_bytes())
        return 0

    def close(self) -> None:
        """End the server, and all processes with it."""
        self._control.close()
        self._server.kill()
        self._server.wait()
