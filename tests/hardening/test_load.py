"""Many concurrent requests: all are answered, no answer is wrong, and nothing leaks."""

import pytest

from tests.hardening.load import CLIENTS, Load
from tests.launch import Running, wait_for
from tests.processes import MEGABYTE, Census

COUNT = 1500


@pytest.fixture(scope="module")
def load(service: Running) -> Load:
    return Load(service.url)


def test_a_mixture_of_good_and_bad_requests(load: Load, service: Running) -> None:
    process_id = service.process.pid
    load.run(400)  # what every thread keeps for itself is not a leak
    before = Census.of(process_id)

    verdicts = load.run(COUNT)

    assert verdicts.total() == COUNT
    assert verdicts["wrong"] == 0, "an answer differs from the one alone"
    assert {"ranked", "plain", "corrupt_image", "unsupported_image", "empty_body", "body_too_large"} <= set(verdicts)
    wait_for(lambda: Census.of(process_id).descriptors <= before.descriptors + 2, "connections stay open")
    after = Census.of(process_id)
    assert after.threads == before.threads
    assert after.memory - before.memory < 32 * MEGABYTE


def test_threads_are_as_many_as_the_server_has(load: Load, service: Running) -> None:
    load.run(100, clients=4 * CLIENTS)
    threads = Census.of(service.process.pid).threads

    load.run(100, clients=4 * CLIENTS)

    assert Census.of(service.process.pid).threads == threads
