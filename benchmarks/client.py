"""Clients that keep their connection, in another process than the server: they share no interpreter lock."""

import http.client
import itertools
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

BUSY_CLIENTS = 8
_TIMEOUT = 120.0
_TOP_K = 5
_STAGE = re.compile(r"(\w+);dur=([\d.]+)")


class Answer(NamedTuple):
    seconds: float
    """Until the whole of it was there."""
    problem: str | None
    """What was wrong with it, if anything."""
    stages: Mapping[str, float]
    """What the server says that it spent the time on (``Server-Timing``), in seconds."""


class Address(Protocol):
    """Where a server is; ``Server`` knows more of it."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class Client:
    """One connection; a context manager. For one thread."""

    def __init__(self, server: Address) -> None:
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, body: bytes, target: str = "/") -> Answer:
        """Send one photo."""
        started = time.perf_counter()
        try:
            self._connection.request("POST", target, body, {"Content-Type": "image/jpeg"})
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Answer(time.perf_counter() - started, type(error).__name__, {})
        seconds = time.perf_counter() - started
        stages = {name: float(spent) / 1000 for name, spent in _STAGE.findall(answer.getheader("Server-Timing") or "")}
        return Answer(seconds, _problem(answer.status, text), stages)


def _problem(status: int, text: bytes) -> str | None:
    if status != 200:
        return f"status {status}"
    return None if len(json.loads(text)["predictions"]) == _TOP_K else "not five predictions"


@dataclass
class Load:
    """What one run of several clients gave."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """Seconds, of the right answers alone."""
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def add(self, other: "Load") -> None:
        """Take in another run with as many clients."""
        self.seconds += other.seconds
        self.latencies += other.latencies
        self.errors += other.errors


def load(
    server: Address,
    photos: Sequence[bytes],
    clients: int,
    *,
    seconds: float = float("inf"),
    requests: int | None = None,
    target: str = "/",
) -> Load:
    """Clients that each send the next photo as soon as they have the answer to the last one.

    Args:
        seconds: after so much time no request is begun.
        requests: after so many, of all clients together, no request is begun.
        target: path and query.
    """
    result = Load()
    turns = itertools.count()
    started = time.perf_counter()

    def run() -> None:
        with Client(server) as client:
            while time.perf_counter() - started < seconds:
                turn = next(turns)
                if requests is not None and turn >= requests:
                    return
                answer = client.post(photos[turn % len(photos)], target)
                if answer.problem is None:
                    result.latencies.append(answer.seconds)
                else:
                    result.errors[answer.problem] += 1

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.perf_counter() - started
    return result
