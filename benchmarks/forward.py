"""The engine of a variant without anything around it, in a process of its own that has nothing else to do.

python forward.py       in an assembled function's folder; a number on stdin gives as many durations on stdout
"""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Forward = Callable[[int], list[float]]


@contextmanager
def forwarding(folder: Path, environment: Mapping[str, str]) -> Iterator[Forward]:
    """Loads the function in ``folder``; what is yielded runs its image tower so many times and returns the seconds."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, str(Path(__file__).resolve())],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    stdin, stdout = process.stdin, process.stdout

    def forward(times: int) -> list[float]:
        stdin.write(f"{times}\n")
        stdin.flush()
        durations: list[float] = json.loads(stdout.readline())
        return durations

    try:
        forward(1)  # what is measured next shall not share the processor with the loading
        yield forward
    finally:
        stdin.close()
        process.wait()
        stdout.close()


def _of_function() -> Callable[[], object]:
    import numpy as np

    handler = importlib.import_module("function.handler")
    if not hasattr(handler, "SERVICE"):
        return handler.forward  # type: ignore[no-any-return]
    recognizer = handler.SERVICE.recognizer
    pixels = np.zeros((*recognizer.manifest.image.size, 3), np.uint8)
    return lambda: recognizer.embed(pixels)


def _answer() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    sys.path[0] = ""
    forward = _of_function()
    for line in sys.stdin:
        durations = []
        for _ in range(int(line)):
            started = time.perf_counter()
            forward()
            durations.append(time.perf_counter() - started)
        print(json.dumps(durations), file=answers, flush=True)


if __name__ == "__main__":
    _answer()
