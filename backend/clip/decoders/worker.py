"""The program that decodes images: a server that forks processes, and what each of these does.

``python -m PACKAGE.worker FD`` is the server. It has imported the decoders and nothing else, has one thread,
and ends when the other end of the socket FD is closed; its children end with it.
"""

import ctypes
import gc
import io
import json
import os
import resource
import signal
import socket
import sys
import time
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path

from PIL import Image

from ..errors import RequestError
from ..photos.cost import Cost
from ..photos.image import read_photo, read_pixels, use_threads
from ..photos.preprocessing import Preprocessing
from .fork_server import Limits

_SLACK = 1.5
_SECONDS_WHERE_MEASURED = 0.0065
_PR_SET_PDEATHSIG = 1


def serve(control: Connection, slowness: float) -> None:
    """Fork a process for each message ``{"fork": Limits}``, and end one for each ``{"end": process id}``."""
    children = set()
    while True:
        try:
            message = json.loads(control.recv_bytes())
        except EOFError:
            return
        if "fork" in message:
            ours, theirs = socket.socketpair()
            try:
                process_id = os.fork()
            except OSError:
                control.send_bytes(b"0")
                continue
            if process_id == 0:
                control.close()
                ours.close()
                try:
                    _work(Connection(theirs.detach()), Limits(**message["fork"]), slowness)
                finally:
                    os._exit(1)
            theirs.close()
            children.add(process_id)
            control.send_bytes(str(process_id).encode())
            with ours:
                send_handle(control, ours.fileno(), os.getppid())
        else:
            process_id, status = message["end"], 0
            if process_id in children:  # of this server, not of one before it
                children.remove(process_id)
                os.kill(process_id, signal.SIGKILL)
                _, status = os.waitpid(process_id, 0)
            control.send_bytes(str(os.waitstatus_to_exitcode(status)).encode())


def _work(connection: Connection, limits: Limits, slowness: float) -> None:
    """Decode files until the connection closes.

    Each comes in two messages: JSON with the model's ``preprocessing`` and whether to make a ``preview``, then the
    file.
    """
    _confine(limits)
    while True:
        try:
            wanted = json.loads(connection.recv_bytes())
            data = connection.recv_bytes()
        except EOFError:
            return
        preprocessing = Preprocessing(**wanted["preprocessing"])
        connection.send_bytes(_answer(data, preprocessing, wanted["preview"], limits, slowness))
        del data


def _confine(limits: Limits) -> None:
    os.nice(limits.nice)
    use_threads(limits.threads)
    with Path(os.devnull).open("wb") as nowhere:  # decoders print much about broken files
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # If memory runs out in spite of the limit, the kernel ends this process and not the service.
    Path("/proc/self/oom_score_adj").write_text("1000")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + limits.memory
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _answer(data: bytes, preprocessing: Preprocessing, preview: bool, limits: Limits, slowness: float) -> bytes:
    def require(cost: Cost) -> None:
        cost.require()
        seconds = slowness * cost.seconds
        if seconds > limits.expected_seconds:
            raise _Later(seconds)
        _end_after(slowness * limits.seconds + _SLACK * seconds)

    try:
        _end_after(slowness * limits.seconds)
        return b"P" + read_photo(data, preprocessing, preview=preview, require=require).to_bytes()
    except _Later as later:
        return b"L%f" % later.seconds
    except RequestError as error:
        return b"E" + json.dumps([error.code, str(error)]).encode()
    finally:
        _end_after(0)


def _measure_slowness() -> float:
    """How many times slower this processor decodes than the one that ``cost.py`` was measured on, from 1 to 4."""
    file = io.BytesIO()
    noise = Image.effect_noise((200, 150), 64).convert("RGB").resize((1600, 1200), Image.Resampling.BICUBIC)
    noise.save(file, "JPEG", quality=90)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        read_pixels(file.getvalue(), Preprocessing((224, 224)))
        seconds.append(time.process_time() - start)
    return min(max(1.0, min(seconds) / _SECONDS_WHERE_MEASURED), 4.0)


class _Later(RequestError):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


def _end_after(seconds: float) -> None:
    """Have the kernel end this process once it has used so much processor time, whatever code it is in; 0 for never."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    # The service decides when this ends: at Ctrl-C or SIGTERM it first answers the requests that it has accepted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    slowness = _measure_slowness()
    gc.freeze()
    serve(Connection(int(sys.argv[1])), slowness)
