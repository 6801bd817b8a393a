"""Decoding in other processes, which have limits of time and memory and can be ended at any moment. Photos go first.

There are three lanes. Every file comes to the fast one, where its header is read, and where small images and photos
from phones are decoded. A file that should take longer, by its header, goes on to one of the other two. These decode
one file at a time, the cheapest and the first in turn, at a lower priority. What a header claims is believed for half
as much again: a file that takes longer is stopped and gets one more try, in the slow lane, when no other file waits
there. If one comes meanwhile, it gives way.
"""

import json
import logging
import math
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import NoReturn

from ..cpus import available_cpus
from ..deadline import Deadline
from ..errors import Busy, CorruptImage, TooExpensive, TooManyPixels, UnsupportedImage
from ..limits import DECODE_TIMEOUT
from ..photos.photo import Photo
from ..photos.preprocessing import Preprocessing
from ..priority_semaphore import PrioritySemaphore
from .fork_server import ForkServer, Limits, Process

_log = logging.getLogger("function")

# Memory as measured: at most 16 bytes a pixel for WebP, 13 for AVIF and HEIF, 8 for the others; and twice the file. A
# progressive JPEG takes two bytes a sample.
# Enough for a JPEG of 15 megapixels, or another image of one or two. Fifteen files with false headers keep two
# processors busy for 0.75 s.
FAST = Limits(expected_seconds=0.04, seconds=0.04, memory=96 << 20, threads=1, nice=0)
_FAST_TIMEOUT = 2.0
# Enough for a JPEG of 50 megapixels, or another image of 6 to 14.
MEDIUM = Limits(expected_seconds=0.35, seconds=0.1, memory=224 << 20, threads=1, nice=3)
SLOW_MEMORY = 960 << 20
# What its header claims is believed for the first try of any file in the slow lane.
_SLOW_SECONDS = 0.1
# A file that has taken this many times the processor time that its header says is refused; one that has taken less may
# have been stopped because others used the processors.
_MOST_OVER_HEADER = 3
# Nor does its second try give way to others before it has had so much processor time, in seconds.
_LEAST_SECOND_TRY = 1.0
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
        slow = Limits(expected_seconds=math.inf, seconds=_SLOW_SECONDS, memory=memory, threads=cpus, nice=10)
        last = replace(slow, seconds=timeout * cpus)
        turns = PrioritySemaphore(1)
        # A process that has used hundreds of megabytes would keep some of them, so only small ones are used again.
        fast = _Lane(self._server, FAST, min(_FAST_TIMEOUT, timeout), PrioritySemaphore(cpus), reused=True)
        self._lanes = (
            fast,
            _Lane(self._server, MEDIUM, timeout, PrioritySemaphore(1)),
            _Lane(self._server, slow, timeout, turns),
        )
        self._last = _Lane(self._server, last, timeout, turns, is_last=True)
        self._starting = threading.Thread(target=fast.start, args=(cpus,), daemon=True)
        self._starting.start()

    def observe_end(self, observe: Callable[[str], None]) -> None:
        """Tell of each process that has not ended as it should: ``crashed``, ``limit`` (of time or memory), or
        ``abandoned``, where the time of its request was over or the caller had gone."""
        for lane in (*self._lanes, self._last):
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
        claimed = 0.0
        try:
            for lane in self._lanes:
                if claimed <= lane.limits.expected_seconds:
                    # Before the header is read, all files count as the same.
                    answer = lane.ask(messages, claimed or lane.limits.expected_seconds, deadline)
                    if answer[:1] != b"L":
                        return answer
                    claimed = float(answer[1:])
        except _Ended as end:
            if lane.is_slow and not end.was_late:
                end.explain(claimed)
            claimed = claimed or lane.limits.expected_seconds
        try:
            return self._last.ask(messages, claimed, deadline)
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

    @property
    def was_late(self) -> bool:
        """Whether it has used more processor time than it had, by its limits and the header of its file."""
        return self._status == -signal.SIGPROF

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

    def __init__(
        self,
        server: ForkServer,
        limits: Limits,
        timeout: float,
        turns: PrioritySemaphore,
        *,
        reused: bool = False,
        is_last: bool = False,
    ) -> None:
        """``is_last``: its files have been tried before, and wait until no others do."""
        self._server = server
        self.limits = limits
        self._timeout = timeout
        self._turns = turns
        self._reused = reused
        self._is_last = is_last
        self.observe_end: Callable[[str], None] = lambda reason: None
        self._idle: list[Process] = []

    @property
    def is_slow(self) -> bool:
        """Whether there is no other lane for what takes longer."""
        return self.limits.expected_seconds == math.inf

    def start(self, count: int) -> None:
        """Fork processes before they are needed."""
        for _ in range(count):
            self._idle.append(self._server.fork(self.limits, Deadline.unlimited()))

    def ask(self, messages: tuple[bytes | memoryview, ...], claimed: float, deadline: Deadline) -> bytes:
        """Send the messages to a process and return its answer.

        Args:
            claimed: the processor time in seconds that the file should take. What the request has left to decode, as if
                all its images were like this one, is its rank in the line.

        Raises:
            Busy: see ``Decoders.read_photo``.
            _Ended: the process has ended without an answer.
        """
        rank = math.inf if self._is_last else claimed * deadline.images
        with self._turns.take(rank, deadline):
            process = self._process(deadline)
            try:
                answer = self._exchange(process, messages, claimed, deadline)
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

    def _process(self, deadline: Deadline) -> Process:
        while True:
            try:
                process = self._idle.pop()
            except IndexError:
                return self._server.fork(self.limits, deadline)
            if not process.connection.poll():
                return process
            self._server.end(process)  # an idle process sends nothing: its connection has closed

    def _exchange(
        self, process: Process, messages: tuple[bytes | memoryview, ...], claimed: float, deadline: Deadline
    ) -> bytes:
        """The process's answer.

        Raises:
            EOFError, OSError: the process has ended.
            TimeoutError: it takes too long.
            Busy: the time of the request is over, its caller has gone, or it gives way to others.
        """
        end = time.monotonic() + self._timeout
        for message in messages:
            process.connection.send_bytes(message)
        while not process.connection.poll(_LOOK_EVERY):
            deadline.require()
            if time.monotonic() > end:
                raise TimeoutError
            if self._is_last and self._turns.contended and process.processor_seconds() > _second_try(claimed):
                raise Busy("Other images wait, and this one takes far longer than its header says. Try again later.")
        return process.connection.recv_bytes(_MAX_ANSWER)


def _second_try(claimed: float) -> float:
    """Processor time in seconds that a second try may take although others wait."""
    return max(_LEAST_SECOND_TRY, _MOST_OVER_HEADER * claimed)
