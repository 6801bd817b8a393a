"""Decoding in other processes, which have limits of time and memory and can be ended at any moment. Photos go first.

There are three lanes. Every file comes to the fast one, where its header is read, and where small images and photos
from phones are decoded. A file that should take longer, by its header, goes on to one of the other two. These decode
one file at a time, the cheapest first, at a lower priority. If a header was false, decoding is soon stopped; the file
gets one more try in the slow lane, behind all others.
"""

import json
import logging
import math
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import NoReturn

from .cpus import available_cpus
from .deadline import Deadline
from .errors import Busy, CorruptImage, TooExpensive, TooManyPixels, UnsupportedImage
from .fork_server import ForkServer, Limits, Process
from .limits import DECODE_TIMEOUT
from .photo import Photo
from .preprocessing import Preprocessing
from .priority_semaphore import PrioritySemaphore

_log = logging.getLogger("function")

# Memory as measured: at most 17 bytes a pixel for WebP, 13 for AVIF and HEIF, 8 for the others; and twice the file.
# Enough for a JPEG of 15 megapixels, or another image of one or two. Fifteen files with false headers keep two
# processors busy for 0.75 s.
FAST = Limits(expected_seconds=0.04, seconds=0.04, memory=96 << 20, threads=1, nice=0)
_FAST_TIMEOUT = 2.0
# Enough for a JPEG of 50 megapixels, or another image of 8 to 14.
MEDIUM = Limits(expected_seconds=0.35, seconds=0.1, memory=224 << 20, threads=1, nice=3)
SLOW_MEMORY = 900 << 20
# A file that has taken this many times the processor time that its header says is refused; one that has taken less may
# have been stopped because others used the processors.
_MOST_OVER_HEADER = 3
_MAX_ANSWER = 64 << 20
_LOOK_EVERY = 0.1
_ERRORS = {error.code: error for error in (CorruptImage, TooManyPixels, UnsupportedImage)}
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


class Decoders:
    """Decoding processes, started in the background. May be used by any number of threads."""

    def __init__(self, timeout: float = DECODE_TIMEOUT, memory: int = SLOW_MEMORY) -> None:
        """``timeout`` in seconds and ``memory`` in bytes are the limits of the slow lane."""
        self._timeout = timeout
        self._server = ForkServer()
        cpus = available_cpus()
        slow = Limits(expected_seconds=math.inf, seconds=timeout * cpus, memory=memory, threads=cpus, nice=10)
        self._lanes = (
            _Lane(self._server, FAST, min(_FAST_TIMEOUT, timeout), size=cpus, reused=True),
            # A process that has used hundreds of megabytes would keep some of them, so it is not used again.
            _Lane(self._server, MEDIUM, timeout, size=1, reused=False),
            _Lane(self._server, slow, timeout, size=1, reused=False),
        )
        self._starting = threading.Thread(target=self._lanes[0].start, args=(cpus,), daemon=True)
        self._starting.start()

    def observe_end(self, observe: Callable[[str], None]) -> None:
        """Tell of each process that has not ended as it should: ``crashed``, ``limit`` (of time or memory), or
        ``abandoned``, where the time of its request was over or the caller had gone."""
        for lane in self._lanes:
            lane.observe_end = observe

    def close(self) -> None:
        """End the processes."""
        self._starting.join()
        self._server.close()

    def read_photo(
        self, data: bytes | memoryview, preprocessing: Preprocessing, deadline: Deadline, *, preview: bool = False
    ) -> Photo:
        """``image.read_photo`` in another process.

        Raises:
            Busy: the file has waited for more than half of its request's time, or its caller has gone.
            TooExpensive: decoding takes more than ``timeout`` seconds, or more memory than one image may have.
            UnsupportedImage, TooManyPixels, CorruptImage: see ``image.read_photo``.
        """
        wanted = {"preprocessing": asdict(preprocessing), "preview": preview}
        messages = json.dumps(wanted).encode(), data
        answer = self._ask(messages, deadline)
        if answer[:1] == b"E":
            code, message = json.loads(answer[1:])
            raise _ERRORS[code](message)
        return Photo.from_bytes(memoryview(answer)[1:], preprocessing.size)

    def _ask(self, messages: tuple[bytes | memoryview, ...], deadline: Deadline) -> bytes:
        cost = claimed = 0.0
        *lanes, last = self._lanes
        for lane in lanes:
            if cost > lane.limits.expected_seconds:
                continue
            try:
                answer = lane.ask(messages, cost, deadline)
            except _Ended:
                cost, claimed = math.inf, lane.limits.expected_seconds
                continue
            if answer[:1] != b"L":
                return answer
            cost = claimed = float(answer[1:])
        try:
            return last.ask(messages, cost, deadline)
        except _Ended as end:
            end.explain(claimed)


class _Ended(Exception):
    """A process has ended without an answer."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__()
        self._status = status
        self._seconds = seconds

    @property
    def crashed(self) -> bool:
        return -self._status in _CRASHES

    def explain(self, claimed: float) -> NoReturn:
        """Raise the error for the caller; ``claimed`` is the processor time in seconds that the header says."""
        if self.crashed:
            _log.warning("an image has ended its decoder by %s", signal.Signals(-self._status).name)
            raise CorruptImage("The image cannot be decoded: its decoder has crashed.")
        if self._status == -signal.SIGKILL and self._seconds < _MOST_OVER_HEADER * claimed:  # others had the processors
            raise Busy("The service is busy. Try again in a few seconds.")
        raise TooExpensive("Decoding the image takes more time or memory than one image may have.")


class _Lane:
    """Processes with the same limits, a fixed number at a time."""

    def __init__(self, server: ForkServer, limits: Limits, timeout: float, *, size: int, reused: bool) -> None:
        self._server = server
        self.limits = limits
        self._timeout = timeout
        self._turns = PrioritySemaphore(size)
        self._reused = reused
        self.observe_end: Callable[[str], None] = lambda reason: None
        self._idle: list[Process] = []

    def start(self, count: int) -> None:
        """Fork processes before they are needed."""
        for _ in range(count):
            self._idle.append(self._server.fork(self.limits))

    def ask(self, messages: tuple[bytes | memoryview, ...], cost: float, deadline: Deadline) -> bytes:
        """Send the messages to a process and return its answer.

        Raises:
            Busy: see ``Decoders.read_photo``.
            _Ended: the process has ended without an answer.
        """
        with self._turns.take(cost, deadline):
            process = self._process()
            try:
                answer = self._exchange(process, messages, deadline)
            except (EOFError, OSError) as error:
                seconds = process.processor_seconds()
                ended = _Ended(self._server.end(process), seconds)
                self.observe_end("crashed" if ended.crashed else "limit")
                raise ended from error
            except BaseException:
                self._server.end(process)
                self.observe_end("abandoned")
                raise
            if self._reused:
                self._idle.append(process)
            else:
                self._server.end(process)
            return answer

    def _process(self) -> Process:
        while True:
            try:
                process = self._idle.pop()
            except IndexError:
                return self._server.fork(self.limits)
            if not process.connection.poll():
                return process
            self._server.end(process)  # an idle process sends nothing: its connection has closed

    def _exchange(self, process: Process, messages: tuple[bytes | memoryview, ...], deadline: Deadline) -> bytes:
        """The process's answer.

        Raises:
            EOFError, OSError: the process has ended.
            TimeoutError: it takes too long.
            Busy: the time of the request is over, or its caller has gone.
        """
        end = time.monotonic() + self._timeout
        for message in messages:
            process.connection.send_bytes(message)
        while not process.connection.poll(_LOOK_EVERY):
            deadline.require()
            if time.monotonic() > end:
                raise TimeoutError
        return process.connection.recv_bytes(_MAX_ANSWER)
