"""Good and bad requests, mixed and many at a time, each compared with its answer alone.

python -m tests.hardening.load --requests 10000
"""

import argparse
import base64
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.functions import clip, verdict
from tests.hardening.samples import mutated, real_files
from tests.processes import MEGABYTE, Census

CLIENTS = 16


@dataclass(frozen=True)
class Request:
    """What ``requests.request`` takes beside the address."""

    method: str = "POST"
    path: str = "/"
    options: dict[str, Any] = field(default_factory=dict)


def mixture() -> list[Request]:
    """Every kind of request, about half of them bad."""
    source = random.Random(0)
    files = list(real_files().values())
    photo = files[0]
    good = [Request(options={"data": data}) for data in files]
    good += [
        Request(options={"files": {"image": ("photo.jpg", photo)}}),
        Request(options={"data": base64.b64encode(photo)}),
        Request(options={"data": photo, "params": {"top_k": 100}}),
        Request(options={"data": photo, "headers": {"Accept": "text/plain"}}),
        Request("GET"),
    ]
    bad = [Request(options={"data": data[: len(data) // 2]}) for data in files]
    bad += [Request(options={"data": mutated(data, source)}) for data in files]
    bad += [
        Request(options={"data": b""}),
        Request(options={"data": b"hello"}),
        Request(options={"data": photo, "params": {"top_k": "many"}}),
        Request(options={"data": photo + bytes(21 * MEGABYTE)}),
        Request("PATCH", options={"data": photo}),
        Request(path="/elsewhere", options={"data": photo}),
        Request(options={"data": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}),
    ]
    return good + bad


class Load:
    """Asks the service at ``url``; what came back is compared with ``alone``, the answers one by one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.mixture = mixture()
        with requests.Session() as session:
            self.alone = [self._answer(session, request) for request in self.mixture]

    def run(self, count: int, clients: int = CLIENTS) -> Counter[str]:
        """Send so many requests; how often each verdict came, and "wrong" for an answer unlike the one alone."""
        order = random.Random(count)
        numbers = [order.randrange(len(self.mixture)) for _ in range(count)]
        with ThreadPoolExecutor(clients) as pool, requests.Session() as session:
            session.mount("http://", HTTPAdapter(pool_maxsize=clients))
            return Counter(pool.map(lambda number: self._judge(session, number), numbers))

    def _judge(self, session: requests.Session, number: int) -> str:
        answer = self._answer(session, self.mixture[number])
        return "wrong" if answer != self.alone[number] else answer[0]

    def _answer(self, session: requests.Session, request: Request) -> tuple[str, str]:
        answer = session.request(request.method, self._url + request.path, timeout=60, **request.options)
        plain = answer.status_code == 200 and not answer.text.startswith('{"predictions"')
        return "plain" if plain else verdict(answer), answer.text


def main() -> int:
    parser = argparse.ArgumentParser(prog="load", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--model", type=Path, metavar="DIR", help="an exported model, not the bundled one")
    arguments = parser.parse_args()
    with clip(arguments.model) as program:
        load = Load(program.url)
        load.run(500)  # what every thread keeps for itself is not a leak
        print("before", Census.of(program.process.pid), flush=True)
        verdicts = load.run(arguments.requests)
        print("after ", Census.of(program.process.pid))
        print(f"{verdicts.total():,} answers: {dict(verdicts.most_common())}")
    return 1 if verdicts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
