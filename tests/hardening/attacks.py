"""Attacks: files that take minutes to decode, and floods of files, labels, bodies and aborted requests."""

import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import numpy as np

from tests.hardening import isobmff, jpegs
from tests.hardening.bystander import PHOTO, Bystander, Flood, Seen, ask, posting
from tests.hardening.labels import new_labels
from tests.hardening.tiny import KINDS, TIFFS, TINY
from tests.processes import MEGABYTE

CLIENTS = 15
"""One less than the watchdog's max_inflight."""

_LARGE = (3000, 3000)
Make = Callable[[], bytes]
SLOW: dict[str, Make] = {
    **jpegs.EXPENSIVE,
    "iovl, three deep": lambda: isobmff.overlay(5, 3, _LARGE),
    "iovl, wide": lambda: isobmff.overlay(5, 2, _LARGE),
    "grid of tiles that lie outside": lambda: isobmff.grid(16, 16, tile=_LARGE, once=True, shown=(7000, 7000)),
}
"""Name of a file that takes seconds or minutes to decode -> how it is made."""
CHAINS: dict[str, Make] = {
    "iden of iovl of iden": lambda: isobmff.chain(3, _LARGE),
    "grid of grids of grids": lambda: isobmff.grid(3, 3, tile=(256, 256), deep=3, once=True),
}
"""Deeply derived images, which a decoder may finish in time."""
FLOODS: dict[str, Mapping[str, Make]] = {
    **{kind: {name: make for name, make in TINY.items() if name.startswith(kind)} for kind in KINDS},
    "tiff, every compression": TIFFS,
    "files that take minutes": SLOW,
}
"""Files that are posted in turn."""


def flood_of_files(url: str, name: str) -> Flood:
    """One of ``FLOODS``."""
    return Flood(CLIENTS, posting(url, [make() for make in FLOODS[name].values()]))


def flood_of_labels(url: str, count: int) -> Flood:
    """So many new labels at a time, in form fields: they are too long for a query."""

    def send(number: int) -> Seen:
        fields = [("labels", label) for label in new_labels(number, count)]
        return ask(url, fields, files={"image": ("photo.jpg", PHOTO)})

    return Flood(CLIENTS, send)


def flood_of_bodies(url: str, clients: int) -> Flood:
    """Photos of 19 MB, chunked."""
    body = PHOTO + np.random.default_rng(0).bytes(19 * MEGABYTE)
    parts = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    return Flood(clients, lambda _: ask(url, iter(parts)))


def flood_of_leavers(url: str, body: bytes) -> Flood:
    """Clients that close the connection before they are answered."""

    def leave(_: int) -> Seen:
        with connection(url) as client:
            client.sendall(head(len(body)) + body)
            time.sleep(0.02)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        return Seen("left", 0)

    return Flood(CLIENTS, leave)


def connection(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=10)


def head(length: int) -> bytes:
    return f"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n".encode()


def endure(url: str, flood: Flood, seconds: float) -> Bystander:
    """The bystander of a flood of so many seconds, and of a moment after it."""
    with Bystander(url) as bystander:
        with flood:
            time.sleep(seconds)
        time.sleep(0.3)
    print(f"bystander {bystander}\nothers {flood}")
    return bystander


def floods(url: str) -> Iterator[tuple[str, Flood]]:
    """Each kind of flood with its name."""
    for name in FLOODS:
        yield name, flood_of_files(url, name)
    for count in (30, 1000):
        yield f"{count} new labels", flood_of_labels(url, count)
    for clients in (16, 32):
        yield f"{clients} bodies of 19 MB", flood_of_bodies(url, clients)
    yield "callers who leave", flood_of_leavers(url, TINY["webp, lossless"]())
