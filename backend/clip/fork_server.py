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

# The server must have one thread, or forking would be unsafe. Its decoders have few threads and need no heap for each.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_ROOT = Path(__file__).parents[len((__package__ or "").split("."))]


@dataclass(frozen=True)
class Limits:
    """What a decoding process may take."""

    expected_seconds: float
    """Processor time that a file may need by its header; one that needs more is not decoded here. All times are longer
    where the processor is slower than the one that the figures in ``cost.py`` were measured on."""
    seconds: float
    """Processor time that a file may take beyond 1.5 times what its header says."""
    memory: int
    """Bytes of address space beyond those of a new process."""
    threads: int
    nice: int


@dataclass(frozen=True)
class Process:
    process_id: int
    connection: Connection

    def processor_seconds(self) -> float:
        """The processor time that it has used; infinity where the system does not say."""
        with suppress(OSError):
            return time.clock_gettime((~self.process_id << 3) | 2)  # clock_getcpuclockid(3) is not in Python
        return math.inf


class ForkServer:
    """Starts decoding processes. It starts at once, in the background. May be used by any number of threads.

    The processes share nothing with the service but one socket each, and end when it ends, in whatever way it does.
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
                # Ctrl-C in a terminal goes to the service alone: it first answers the requests that it has accepted.
                start_new_session=True,
            )
        self._control = Connection(ours.detach())

    def fork(self, limits: Limits) -> Process:
        """Start a process, in a few milliseconds.

        Raises:
            Busy: the system allows no more processes.
            EOFError, OSError: the server has ended and cannot be started again.
        """
        with self._lock:
            try:
                return self._fork(limits)
            except (EOFError, OSError):  # something has ended the server
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
        """End a process if it still runs.

        Returns:
            Its exit status, or the negative number of the signal that ended it.
        """
        process.connection.close()
        with self._lock, suppress(EOFError, OSError):  # if the server has ended, so have all its processes
            self._control.send_bytes(json.dumps({"end": process.process_id}).encode())
            return int(self._control.recv_bytes())
        return 0

    def close(self) -> None:
        """End the server, which ends all its processes."""
        self._control.close()
        self._server.kill()
        self._server.wait()
