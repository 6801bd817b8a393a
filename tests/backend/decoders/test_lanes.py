"""Decoding in child processes: their results, refusals, limits and replacement."""

import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import numpy as np
import psutil
import pytest
from PIL import Image

from backend.clip.deadline import Deadline
from backend.clip.decoders.lanes import Decoders
from backend.clip.errors import Busy, CorruptImage, TooExpensive, TooManyPixels, UnsupportedImage
from backend.clip.photos.image import read_pixels
from backend.clip.photos.preprocessing import Preprocessing
from tests.launch import PROJECT, wait_for
from tests.pictures import encoded, photo

PREPROCESSING = Preprocessing((224, 224))
PHOTO = encoded(photo((640, 480)), "JPEG")


def deadline(seconds: float = 60, abandoned: Callable[[], bool] = lambda: False) -> Deadline:
    return Deadline(time.monotonic() + seconds, abandoned)


def children() -> list[psutil.Process]:
    """The processes of this one's decoders; those of a running application are its own."""
    servers = [process for process in psutil.Process().children() if _is_server(process)]
    return servers + [process for server in servers for process in server.children()]


def _is_server(process: psutil.Process) -> bool:
    with suppress(psutil.ZombieProcess):
        return "backend.clip.decoders.worker" in process.cmdline()
    return False


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    with closing(Decoders()) as processes:
        yield processes


def work_without_end() -> bytes:
    """A progressive JPEG with a hundred thousand scans, behind SOI and EOI, which hide them from a count of scans."""
    data = encoded(Image.new("RGB", (7000, 7000)), "JPEG", progressive=True)
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 0, 0x10)
    return b"\xff\xd8\xff\xd9" + data[: data.index(b"\xff\xda")] + scan * 100_000 + b"\xff\xd9"


@pytest.fixture(scope="module")
def patient() -> Iterator[Decoders]:
    """Decoders that wait longer for a machine that is busy with other programs."""
    with closing(Decoders(timeout=30)) as processes:
        yield processes


@pytest.mark.parametrize(
    ("name", "sizes"),
    {
        "JPEG": [(640, 480), (5800, 4000)],
        "PNG": [(640, 480), (3000, 2200), (5000, 5000)],
        "WEBP": [(640, 480), (3000, 2200), (5000, 5000)],
        "AVIF": [(640, 480), (3000, 2200), (4000, 3000)],
        "HEIF": [(640, 480), (3000, 2200), (4000, 3000)],
    }.items(),
)
def test_every_lane_gives_the_same_pixels(patient: Decoders, name: str, sizes: list[tuple[int, int]]) -> None:
    """The same as decoding in this process, for a size of each lane."""
    for size in sizes:
        data = encoded(Image.new("RGB", size, (200, 30, 90)), name)
        np.testing.assert_array_equal(
            patient.read_photo(data, PREPROCESSING, deadline()).pixels, read_pixels(data, PREPROCESSING)
        )


def test_each_model_gets_what_it_wants(decoders: Decoders) -> None:
    for preprocessing in (Preprocessing((208, 208)), Preprocessing((32, 64), "longest", fill_color=9), PREPROCESSING):
        np.testing.assert_array_equal(
            decoders.read_photo(PHOTO, preprocessing, deadline()).pixels, read_pixels(PHOTO, preprocessing)
        )


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"hello", UnsupportedImage),
        (PHOTO[: len(PHOTO) // 2], CorruptImage),
        (encoded(Image.new("1", (9000, 8000)), "PNG"), TooManyPixels),
    ],
)
def test_a_refusal_is_the_same_as_in_one_process(decoders: Decoders, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as there:
        decoders.read_photo(data, PREPROCESSING, deadline())
    with pytest.raises(error) as here:
        read_pixels(data, PREPROCESSING)
    assert str(there.value) == str(here.value)


def ask(decoders: Decoders, data: bytes, seconds: float = 60) -> tuple[str, float]:
    """The code of the error or "decoded", and the seconds it took."""
    start = time.monotonic()
    try:
        decoders.read_photo(data, PREPROCESSING, deadline(seconds))
    except (TooExpensive, Busy) as error:
        return error.code, time.monotonic() - start
    return "decoded", time.monotonic() - start


def test_endless_work_is_ended_and_delays_no_other_photo() -> None:
    """On a busy machine an attacker may also get ``busy``."""
    data = work_without_end()

    with closing(Decoders(timeout=2)) as decoders, ThreadPoolExecutor(8) as pool:
        attack = [pool.submit(ask, decoders, data, 5) for _ in range(6)]
        for _ in range(5):
            answer, seconds = ask(decoders, PHOTO)
            assert answer == "decoded"
            assert seconds < 2
            time.sleep(0.2)
        assert {future.result()[0] for future in attack} <= {"too_expensive", "busy"}


def test_memory_is_limited() -> None:
    of_400_megabytes = encoded(Image.new("RGBA", (7000, 7000)), "PNG", compress_level=1)

    with closing(Decoders(memory=300 << 20)) as decoders:
        with pytest.raises(TooExpensive):
            decoders.read_photo(of_400_megabytes, PREPROCESSING, deadline())
        assert decoders.read_photo(PHOTO, PREPROCESSING, deadline()).pixels.shape == (224, 224, 3)


def test_a_decoder_that_dies_is_replaced(decoders: Decoders) -> None:
    decoders.read_photo(PHOTO, PREPROCESSING, deadline())
    before = {process.pid for process in children()}
    for process in children():
        with suppress(psutil.NoSuchProcess):  # they end with the one that has forked them
            process.send_signal(signal.SIGKILL)

    assert decoders.read_photo(PHOTO, PREPROCESSING, deadline()).pixels.shape == (224, 224, 3)
    assert before.isdisjoint({process.pid for process in children() if process.status() != psutil.STATUS_ZOMBIE})


def test_work_is_not_begun_or_is_given_up_when_the_caller_has_gone(decoders: Decoders) -> None:
    with pytest.raises(Busy):
        decoders.read_photo(PHOTO, PREPROCESSING, deadline(0))
    with pytest.raises(Busy):
        decoders.read_photo(PHOTO, PREPROCESSING, deadline(abandoned=lambda: True))

    data = work_without_end()
    start = time.monotonic()
    with pytest.raises(Busy):
        decoders.read_photo(data, PREPROCESSING, deadline(abandoned=lambda: time.monotonic() > start + 1))
    assert time.monotonic() - start < 2


def test_the_processes_end_with_the_one_that_started_them() -> None:
    """Even after SIGKILL, and in the middle of their work."""
    code = """
import os, sys, threading, time
from tests.backend.decoders.test_lanes import *
decoders = Decoders(timeout=60)
decoders.read_photo(PHOTO, PREPROCESSING, deadline())
threading.Thread(target=decoders.read_photo, args=(work_without_end(), PREPROCESSING, deadline())).start()
wait_for(lambda: max((each.cpu_times().user for each in children()[1:]), default=0) > 0.3, "nothing is decoded")
print(*(process.pid for process in children()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    program = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, check=False)
    assert program.returncode == -signal.SIGKILL
    processes = [int(process_id) for process_id in program.stdout.split()]
    assert len(processes) >= 3
    wait_for(lambda: not any(map(psutil.pid_exists, processes)), "processes stay", seconds=5)
