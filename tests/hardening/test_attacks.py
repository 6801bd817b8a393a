"""During every attack a bystander's photos are answered in time."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.functions import clip
from tests.hardening.attacks import (
    CHAINS,
    FLOODS,
    SLOW,
    connection,
    endure,
    flood_of_bodies,
    flood_of_files,
    flood_of_labels,
    flood_of_leavers,
    head,
)
from tests.hardening.bystander import PHOTO, Bystander, ask
from tests.hardening.tiny import TINY
from tests.launch import Running, wait_for
from tests.processes import Census

SECONDS = 1.0
"""Duration of a flood."""
DECODE_TIMEOUT, REQUEST_TIMEOUT = 1.0, 3.0
"""Shorter than those of stack.yml: ``python -m tests.hardening.measure --attacks`` has these."""
TURNED_AWAY = {"busy", "too_expensive"}


@pytest.fixture(scope="module")
def service(open_model: Path) -> Iterator[Running]:
    """``clip`` for these attacks alone; its output has no traceback in the end."""
    with clip(open_model, decode_timeout=f"{DECODE_TIMEOUT}s", request_timeout=f"{REQUEST_TIMEOUT}s") as program:
        yield program
        assert "Traceback" not in program.output()


@pytest.mark.parametrize("name", SLOW | CHAINS)
def test_a_file_that_takes_minutes_costs_its_sender_a_deadline(name: str, service: Running) -> None:
    """Or two deadlines: a file with a false header is tried twice."""
    data = (SLOW | CHAINS)[name]()

    with Bystander(service.url) as bystander:
        seen = ask(service.url, data)
    print(f"{len(data):,} B: {seen}\nbystander {bystander}")

    assert seen.verdict in TURNED_AWAY or (seen.verdict == "ranked" and name in CHAINS)
    assert seen.seconds < 2 * DECODE_TIMEOUT + bystander.slack
    bystander.require_unharmed()


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_small_files_of_many_pixels(name: str, service: Running) -> None:
    flood = flood_of_files(service.url, name)

    bystander = endure(service.url, flood, SECONDS)

    assert set(flood.verdicts()) <= {"ranked"} | TURNED_AWAY
    assert flood.slowest < REQUEST_TIMEOUT + 2 * bystander.slack
    bystander.require_unharmed()


@pytest.mark.parametrize("count", [30, 1000])
def test_a_flood_of_labels(count: int, service: Running) -> None:
    known = {"labels": "a cached label,another one"}
    assert ask(service.url, params=known).verdict == "ranked"
    flood = flood_of_labels(service.url, count)

    with Bystander(service.url, known) as who_asks_for_known_ones:
        bystander = endure(service.url, flood, SECONDS)

    assert set(flood.verdicts()) <= {"ranked", "too_many_labels", "busy"}
    assert flood.slowest < REQUEST_TIMEOUT + 2 * bystander.slack
    bystander.require_unharmed()
    who_asks_for_known_ones.require_unharmed()


def test_a_flood_of_bodies(service: Running) -> None:
    flood = flood_of_bodies(service.url, 32)

    bystander = endure(service.url, flood, SECONDS)

    assert set(flood.verdicts()) <= {"ranked", "busy"}
    bystander.require_unharmed()


def test_slow_uploads(service: Running) -> None:
    with ExitStack() as open_ones, Bystander(service.url) as bystander:
        clients = [open_ones.enter_context(connection(service.url)) for _ in range(64)]
        for client in clients:
            client.sendall(head(len(PHOTO)))
        for at in range(10):
            for client in clients:
                client.sendall(PHOTO[at : at + 1])
            time.sleep(0.1)

    bystander.require_unharmed()


def test_callers_that_leave_at_once(service: Running) -> None:
    before = Census.of(service.process.pid)

    bystander = endure(service.url, flood_of_leavers(service.url, TINY["webp, lossless"]()), SECONDS)

    bystander.require_unharmed()
    wait_for(lambda: Census.of(service.process.pid).descriptors <= before.descriptors + 4, "connections stay open")


@pytest.mark.parametrize("digits", [5, 5000, 60_000])
def test_a_number_of_many_digits(digits: int, service: Running) -> None:
    assert ask(service.url, params={"top_k": "9" * digits}).verdict == "bad_parameter"
    assert ask(service.url, params={"top_k": "0000000005" + "0" * digits}).verdict == "bad_parameter"
