"""What it costs to decode in another process: python -m benchmarks.decoding

Each photo is decoded in this process and in the decoders' by turns, so that whatever else the machine does meets both.
"""

import time
from contextlib import closing
from statistics import median

import psutil

from backend.clip.deadline import Deadline
from backend.clip.decoding import Decoders
from backend.clip.image import read_pixels
from backend.clip.preprocessing import Preprocessing

from .photos import LARGE, SMALL, photo

ROUNDS = 200
_PREPROCESSING = Preprocessing((224, 224))


def compare(decoders: Decoders, data: bytes, rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Milliseconds: the median in this process, in another one, and the median of the differences."""
    here, there = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        read_pixels(data, _PREPROCESSING)
        middle = time.perf_counter()
        decoders.read_photo(data, _PREPROCESSING, Deadline.unlimited())
        there.append((time.perf_counter() - middle) * 1000)
        here.append((middle - start) * 1000)
    return median(here), median(there), median(b - a for a, b in zip(here, there, strict=True))


def memory() -> float:
    """Megabytes of this process's children, memory that they share counted once (PSS)."""
    children = psutil.Process().children(recursive=True)
    return sum(child.memory_full_info().pss for child in children) / 1e6


def main() -> None:
    with closing(Decoders()) as decoders:
        decoders.read_photo(photo(SMALL, 0), _PREPROCESSING, Deadline.unlimited())
        print(f"the idle processes: {memory():.0f} MB")
        for size in (SMALL, LARGE):
            here, there, difference = compare(decoders, photo(size, 0))
            print(f"{size[0]}x{size[1]}: here {here:.2f} ms, there {there:.2f} ms, {difference:+.2f} ms")


if __name__ == "__main__":
    main()
