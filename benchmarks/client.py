"""Clients that keep their connection, in another process than the server: they share no interpreter lock."""

import itertools
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple

HOST = "127.0.0.1"
BUSY_CLIENTS = 8
RATE = "images/s"
"""The name of what ``BUSY_CLIENTS`` get."""
_TIMEOUT = 120.0
_STAGE = re.compile(r"(\w+);dur=([\d.]+)")


class Answer(NamedTuple):
    seconds: float
    """Until the whole of it was there."""
    problem: str | None
    """What was wrong with it, if anything."""
    stages: Mapping[str, float]
    """What the server says that it spent the time on (``Server-Timing``), in seconds."""


class Client(HTTPConnection):
    """One connection, for one thread."""

    def __init__(self, port: int) -> None:
        super().__init__(HOST, port, timeout=_TIMEOUT)

    def post(self, photo: bytes, target: str = "/") -> Answer:
        started = time.perf_counter()
        try:
            self.request("POST", target, photo, {"Content-Type": "image/jpeg"})
            answer = self.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            self.close()
            return Answer(time.perf_counter() - started, type(error).__name__, {})
        seconds = time.perf_counter() - started
        if answer.status != 200:
            return Answer(seconds, f"status {answer.status}", {})
        stages = {name: float(spent) / 1000 for name, spent in _STAGE.findall(answer.getheader("Server-Timing") or "")}
        return Answer(seconds, None if len(json.loads(body)["predictions"]) == 5 else "not five predictions", stages)


class Load(NamedTuple):
    """What one run of several clients gave."""

    answers: Sequence[Answer]
    seconds: float

    @property
    def per_second(self) -> float:
        """Right answers."""
        return sum(answer.problem is None for answer in self.answers) / self.seconds


def load(port: int, photos: Sequence[bytes], clients: int, seconds: float, target: str = "/") -> Load:
    """Clients that each send the next photo as soon as they have the answer to the last one, for so long."""
    answers: list[Answer] = []
    turns = itertools.cycle(photos)
    started = time.perf_counter()

    def run() -> None:
        with closing(Client(port)) as client:
            while time.perf_counter() - started < seconds:
                answers.append(client.post(next(turns), target))

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(answers, time.perf_counter() - started)
