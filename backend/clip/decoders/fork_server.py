"""The service's side of the decoding processes: it tells the server in ``worker.py`` to fork and end them."""

import json
import logging
import math
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path

from ..deadline import Deadline
from ..errors import Busy

_log = logging.getLogger("function")

# The server must have one thread, or forking would be unsafe. Its decoders have few threads and need no heap for each.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
# Seconds. The server imports the decoders before its first answer; later ones come within milliseconds. One that takes
# longer is stopped or stuck, and replaced. So is a decoder that neither reads its file nor goes on with its answer.
_START_TIMEOUT = 15.0
_EXCHANGE_TIMEOUT = 2.0
_STALL_TIMEOUT = 5
_BROKEN = (EOFError, OSError, RuntimeError, ValueError)
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
            try:
                self._server = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", f"{__package__}.worker", str(theirs.fileno())],
                    cwd=_ROOT,
                    env=_ENVIRONMENT | os.environ,
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    # Ctrl-C in a terminal goes to the service alone: it first answers what it has accepted.
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        self._control = Connection(ours.detach())
        self._patience = _START_TIMEOUT

    def fork(self, limits: Limits, deadline: Deadline) -> Process:
        """Start a process, in a few milliseconds. A server that has ended, or does not answer, is replaced.

        Raises:
            Busy: the system allows no more processes or files, or the time of the request is over.
        """
        with self._turn(deadline):
            try:
                return self._fork(limits)
            except _BROKEN as error:
                _log.warning("the decoders' server is replaced: %s", _reason(error))
            try:
                self.close()
                self._start()
                return self._fork(limits)
            except _BROKEN as error:
                _log.error("no decoder can be started: %s", _reason(error))
                raise Busy("The service cannot start a decoder for this image. Try again in a few seconds.") from error

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[None]:
        deadline.require()
        if not self._lock.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
            raise Busy("The service is busy with other requests. Try again in a few seconds.")
        try:
            yield
        finally:
            self._lock.release()

    def _fork(self, limits: Limits) -> Process:
        process_id = self._exchange({"fork": asdict(limits)})
        if not process_id:
            raise Busy("The service has no process for this image. Try again in a few seconds.")
        self._wait()
        handle = recv_handle(self._control)
        with socket.socket(fileno=handle) as ours:
            for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", _STALL_TIMEOUT, 0))
            return Process(process_id, Connection(ours.detach()))

    def _exchange(self, message: object) -> int:
        self._control.send_bytes(json.dumps(message).encode())
        self._wait()
        answer = int(self._control.recv_bytes())
        self._patience = _EXCHANGE_TIMEOUT
        return answer

    def _wait(self) -> None:
        if not self._control.poll(self._patience):
            raise TimeoutError(f"it has not answered for {self._patience:g} s")

    def end(self, process: Process) -> int:
        """End a process if it still runs.

        Returns:
            Its exit status, or the negative number of the signal that ended it.
        """
        process.connection.close()
        with self._lock:
            try:
                return self._exchange({"end": process.process_id})
            except _BROKEN:  # the next fork starts another; if the server ends, so do all its processes
                self.close()
                return 0

    def close(self) -> None:
        """End the server, which ends all its processes."""
        self._control.close()
        self._server.kill()
        self._server.wait()


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
