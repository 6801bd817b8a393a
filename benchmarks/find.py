"""python -m benchmarks.find: what a search costs in an index of many photos, in processor time.

    python -m benchmarks.find [--photos 100000] [--dimensions 512] [--rounds 9]

The index is written as ``photo-labels index`` writes it, with embeddings and words by chance. A search alone is all but
the imports and the requests: opening the index, reading it, the product, sorting. A command is the whole process, which
asks a stand-in for a service of an open or a closed vocabulary; what that spends is not in it.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from local.label import CLIENT

from .measure import spreads

sys.path.insert(0, str(CLIENT))

from photo_labels.finding.index import Entry, Index
from photo_labels.finding.search import by_embedding, by_words
from photo_labels.origin import Origin
from photo_labels.states import State

_MODEL = "model/labels"
_WORDS = tuple(f"word{n}" for n in range(1000))
_AT_A_TIME = 64
_COUNT = 20


def fill(path: Path, photos: int, dimensions: int) -> None:
    """Write an index of so many photos, each with five words, one of which half of the photos have."""
    random = np.random.default_rng(0)
    with closing(Index(path, new=True)) as index:
        index.begin(Origin(str(path.parent), "", _MODEL, {}), anew=False)
        for start in range(0, photos, _AT_A_TIME):
            numbers = range(start, min(photos, start + _AT_A_TIME))
            embeddings = _unit(random.standard_normal((len(numbers), dimensions)))
            small = random.integers(0, 256, (len(numbers), 32, 32), np.uint8)
            words = random.integers(1, len(_WORDS), (len(numbers), 4))
            index.put(
                [
                    Entry(
                        f"{n // 1000}/{n}.jpg",
                        State(1, "2026-01-01T00:00:00.000000000Z"),
                        embeddings[row],
                        small[row],
                        {_WORDS[word]: 0.9 for word in words[row]} | ({_WORDS[0]: n % 100 / 100} if n % 2 else {}),
                    )
                    for row, n in enumerate(numbers)
                ]
            )


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32)


def search_by_embedding(path: Path) -> int:
    """Search alone; gives how many photos were found."""
    with closing(Index(path, new=False)) as index:
        text = _unit(np.random.default_rng(1).standard_normal((1, index.dimensions or 0)))[0]
        return len([index.file(place) for place, _ in islice(by_embedding(text, index.embeddings()), _COUNT)])


def search_by_words(path: Path) -> int:
    """The same for the word that most photos have, and another one."""
    with closing(Index(path, new=False)) as index:
        found = by_words(index.numbers_of(_WORDS[:2]), index.words())
        return len([index.file(place) for place, _ in islice(found, _COUNT)])


@contextmanager
def stand_in(is_open: bool, dimensions: int) -> Iterator[str]:
    """Serve what ``photo-labels find`` asks for, in a thread; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            vocabulary = {"vocabulary": "open"} if is_open else {}
            self._say({"model": _MODEL, "limits": {"max_image_bytes": 10**7}} | vocabulary)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            row = _unit(np.random.default_rng(1).standard_normal((1, dimensions)))
            if "/v1/embeddings" in self.path:
                self._say({"data": [{"index": 0, "embedding": base64.b64encode(row.tobytes()).decode()}]})
            else:
                self._say({"predictions": [{"label": word, "score": 0.5} for word in _WORDS[:2]]})

        def _say(self, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/function/clip"
        finally:
            server.shutdown()


def command(*arguments: str) -> float:
    """Milliseconds of processor time that a command of Python takes, in user and system mode."""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, *arguments], cwd=CLIENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None  # noqa: S101
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or ("find" in arguments and said.count(b"\n") != _COUNT):
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return (used.ru_utime + used.ru_stime) * 1000


def alone(search: Callable[[Path], int], path: Path) -> float:
    """The same for a search in this process."""
    began = time.process_time()
    assert search(path) == _COUNT  # noqa: S101
    return (time.process_time() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.find")
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    samples: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="find-") as place,
        stand_in(True, options.dimensions) as open_model,
        stand_in(False, options.dimensions) as closed_model,
    ):
        path = Path(place, "photos.sqlite")
        fill(path, options.photos, options.dimensions)
        find = ("-m", "photo_labels", "find", "word0 word1", "--index", str(path), "--url")
        measured: dict[str, Callable[[], float]] = {
            "a search by embedding alone": lambda: alone(search_by_embedding, path),
            "a search by words alone": lambda: alone(search_by_words, path),
            "photo-labels find, open vocabulary": lambda: command(*find, open_model),
            "photo-labels find, closed vocabulary": lambda: command(*find, closed_model),
            "of that: Python": lambda: command("-c", "pass"),
            "of that: Python and NumPy": lambda: command("-c", "import numpy"),
            "of that: Python and requests": lambda: command("-c", "import requests"),
        }
        for _ in range(options.rounds):  # in turns, so that a change of the machine's pace meets all
            for name, measure in measured.items():
                samples.setdefault(name, []).append(measure())
    print("processor time, ms | least | median")
    for name, spread in spreads(samples).items():
        print(f"{name} | {min(samples[name]):.0f} | {spread.p50:.0f}")


if __name__ == "__main__":
    main()
