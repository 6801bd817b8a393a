"""What callers send who wish the service ill, a little at a time: each kind of attack that these tests know, once.

The floods of ``attacks.py`` ask whether others are answered meanwhile; these here go on for hours.
"""

import itertools
import json
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from threading import Event
from typing import Any

import requests

from tests.hardening.attacks import SLOW, connection
from tests.hardening.bombs import BOMBS
from tests.hardening.bystander import PHOTO
from tests.hardening.labels import new_labels
from tests.hardening.samples import mutated, real_files
from tests.hardening.structure import Mutator
from tests.hardening.tiny import TIFFS, TINY
from tests.hardening.wild import Wild, send
from tests.pictures import encoded, photo
from tests.processes import MEGABYTE

Nuisance = Callable[[str, Event], str]
"""Given the function's address, does one thing to it, and says how it was answered; the event ends it early."""

_TIMEOUT = 40.0
_PATIENCE = 20.0
"""Seconds for which a connection is held; the function ends a slow upload before."""
_HEADERS = ("Accept", "Accept-Language", "Authorization", "Content-Type", "Cookie", "Range", "X-Forwarded-For")
_FILLINGS = (" ", ",", ";", '"', "=", "a/b,", "a=b;", "\t")
_LENGTHS = (900, 7_000, 60_000, 200_000)
_NOBODY = "no answer"


def _post(url: str, **options: Any) -> str:
    try:
        return str(requests.post(url, timeout=_TIMEOUT, **options).status_code)
    except requests.RequestException:
        return _NOBODY


def _status(received: bytes) -> str:
    while received.startswith(b"HTTP/1.1 100 "):
        received = received.partition(b"\r\n\r\n")[2]
    return received.split(b" ", 2)[1].decode("latin-1") if received.startswith(b"HTTP/1.") else _NOBODY


def _head(url: str, *lines: str) -> bytes:
    path = "/" + url.split("/", 3)[3]
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: test", *lines, "", ""]).encode("latin-1")


def _posting(path: str = "", **options: Any) -> Nuisance:
    return lambda url, _stop: _post(url + path, **options)


def _bomb(name: str, data: bytes) -> Nuisance:
    def explode(url: str, _stop: Event) -> str:
        said = _post(url, data=data)
        return said if said in ("200", "413", "415", "422", "503") else f"{said} for {name}"

    return explode


def _files(source: random.Random) -> Iterator[tuple[str, Nuisance]]:
    """Files that take much to decode, and broken ones, in turn."""
    real, mutator = list(real_files().values()), Mutator(source)
    makers = {name: cache(make) for name, make in (BOMBS | TINY | TIFFS | SLOW).items()}
    for name in itertools.cycle(source.sample(sorted(makers), len(makers))):
        yield "bombs", _bomb(name, makers[name]())
        for _ in range(4):
            yield "mutated files", _posting(data=mutated(source.choice(real), source))
            yield "files put together anew", _posting(data=mutator.file()[1])


def _words(source: random.Random) -> Iterator[tuple[str, Nuisance]]:
    """Headers, JSON, labels and forms that take much to read."""
    pixel = encoded(photo((1, 1)), "GIF")
    everything = {"explain": "1", "preview": "1", "vocabulary": "everyday", "top_k": "1000"}
    texts = [
        lambda: json.dumps({"inputs": "x", "parameters": {"candidate_labels": ["a " * 15 * MEGABYTE]}}),
        lambda: '{"inputs": [' + "1" * 4299 + (",1" * MEGABYTE * 4) + "]}",
        lambda: "[" * MEGABYTE,
        lambda: '{"inputs": "' + "\\u0041" * MEGABYTE + '"}',
        lambda: json.dumps({f"key {number}": number for number in range(200_000)}),
        lambda: json.dumps({"input": ["a"] * 200_000}),
    ]
    for number in itertools.count():
        filling, length = source.choice(_FILLINGS), source.choice(_LENGTHS)
        value = f"a/b{filling * (length // len(filling))}x"
        yield "header floods", _posting(data=PHOTO, headers={source.choice(_HEADERS): value})
        text, path = texts[number % len(texts)](), source.choice(("", "/v1/embeddings"))
        yield "JSON floods", _posting(path, data=text.encode(), headers={"Content-Type": "application/json"})
        yield "many-image forms", _posting(files=[("image", ("a.gif", pixel))] * 64, params=everything)
        labels = [("labels", label) for label in new_labels(number)]
        yield "label floods", _posting(data=labels, files={"image": ("photo.jpg", PHOTO)})
        yield "bodies over the limit", _posting(data=PHOTO + bytes(36 * MEGABYTE))


def _requests(source: random.Random) -> Iterator[tuple[str, Nuisance]]:
    """Requests as no client writes them, and callers that leave."""
    wild = Wild(source)

    def malformed(url: str, _stop: Event) -> str:
        request = wild.request()
        method, target, rest = request.wire.split(b" ", 2)
        path = b"/" + url.split("/", 3)[3].encode()
        with suppress(OSError):
            wire = b" ".join((method, path + target, rest))
            return _status(send(url, type(request)(wire, request.is_whole), _TIMEOUT))
        return _NOBODY

    def leave(url: str, _stop: Event) -> str:
        with suppress(OSError), connection(url) as client:
            body = source.choice((PHOTO, TINY["webp, lossless"]()))
            sent = _head(url, f"Content-Length: {len(body)}") + body
            client.sendall(sent[: source.choice((10, len(sent) // 2, len(sent)))])
            time.sleep(source.choice((0, 0.02, 0.1)))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        return "left"

    while True:
        for _ in range(3):
            yield "malformed requests", malformed
        yield "aborted requests", leave


def _connections(source: random.Random) -> Iterator[tuple[str, Nuisance]]:
    """Connections that are held and hardly used."""

    def trickle(url: str, stop: Event) -> str:
        with suppress(OSError), connection(url) as client:
            client.sendall(_head(url, f"Content-Length: {len(PHOTO)}"))
            client.settimeout(0.5)
            end = time.monotonic() + _PATIENCE
            for at in range(len(PHOTO)):
                if stop.is_set() or time.monotonic() > end:
                    return "left"
                client.sendall(PHOTO[at : at + 1])
                with suppress(TimeoutError):
                    return _status(client.recv(65536))
        return _NOBODY

    def idle(url: str, stop: Event) -> str:
        beginning = source.choice((b"", b"POST /func", _head(url, "Content-Length: 5")[:-2]))
        with suppress(OSError), connection(url) as client:
            client.sendall(beginning)
            stop.wait(_PATIENCE)
        return "left"

    while True:
        yield "trickling uploads", trickle
        yield "connections left open", idle


_ATTACKERS = ((_files, 1.0), (_words, 1.0), (_requests, 0.2), (_connections, 0.5), (_connections, 0.5))


KINDS = frozenset((
    "bombs", "mutated files", "files put together anew", "header floods", "JSON floods", "many-image forms",
    "label floods", "bodies over the limit", "malformed requests", "aborted requests", "trickling uploads",
    "connections left open",
))  # fmt: skip
"""What they are called."""


def attackers(seed: int) -> list[tuple[Iterator[tuple[str, Nuisance]], float]]:
    """What each attacker does one after the other, by the name of its kind, and the seconds of its pause in between.

    There are so few that, with eight good clients, there are fewer requests than ``clip`` takes at a time.
    """
    return [(make(random.Random(seed + number)), pause) for number, (make, pause) in enumerate(_ATTACKERS)]
