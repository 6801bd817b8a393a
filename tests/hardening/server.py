"""The function `clip` as the template's own server runs it, and what its process takes."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from backend.clip import errors
from local import assemble, stack
from tests.launch import PROJECT, Running, free_port, running

_ERRORS: list[type[errors.RequestError]] = [errors.RequestError, *errors.RequestError.__subclasses__()]
STATUS_OF_CODE = {"bad_request": 400} | {error.code: error.status for error in _ERRORS}
MEGABYTE = 1 << 20


@contextmanager
def clip(
    model: Path | None = None, *, wait_for_ready: bool = True, wrapper: Sequence[str] = (), **variables: str
) -> Iterator[Running]:
    """`clip` with these variables beside those of stack.yml; the bundled model unless another is given.

    `wrapper` is a command that is given the server's command as more arguments and becomes it.
    """
    function = next(function for function in stack.read(PROJECT / "stack.yml") if function.name == "clip")
    url = f"http://127.0.0.1:{free_port()}"
    environment = {**os.environ, **function.environment, "suppress_lock": "", "upstream_url": url, **variables}
    with tempfile.TemporaryDirectory(prefix="test-") as build:
        folder = assemble.assemble(function, PROJECT / "template", Path(build), model)
        is_up = _is_ready if wait_for_ready else _listens
        with running(
            [*wrapper, sys.executable, "index.py"], url, is_up, cwd=folder, environment=environment
        ) as program:
            yield program


def _is_ready(program: Running) -> bool:
    return _readiness(program) == 200


def _listens(program: Running) -> bool:
    return _readiness(program) is not None


def _readiness(program: Running) -> int | None:
    try:
        return requests.get(program.url + "/ready", timeout=10).status_code
    except requests.ConnectionError:
        return None


def verdict(answer: requests.Response) -> str:
    """ "ranked" or the code of the error; anything but a ranking or a typed error fails the test."""
    assert "Traceback" not in answer.text
    if answer.status_code == 200:
        scores = [prediction["score"] for prediction in answer.json()["predictions"]]
        assert scores == sorted(scores, reverse=True)
        assert 0 < sum(scores) <= 1.01
        return "ranked"
    error = answer.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"].endswith(".")
    assert STATUS_OF_CODE[error["code"]] == answer.status_code
    return str(error["code"])


@dataclass(frozen=True)
class Census:
    """What a process holds."""

    threads: int
    descriptors: int
    memory: int
    """Resident bytes."""

    @classmethod
    def of(cls, process_id: int) -> "Census":
        process = psutil.Process(process_id)
        return cls(process.num_threads(), process.num_fds(), process.memory_info().rss)


class Watch:
    """Watches the memory of a process in the block: `peak` and `growth`, in bytes."""

    def __init__(self, process_id: int) -> None:
        self._process = psutil.Process(process_id)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watch":
        self.start = self.peak = self._process.memory_info().rss
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            self.peak = max(self.peak, self._process.memory_info().rss)

    @property
    def growth(self) -> int:
        return self.peak - self.start
