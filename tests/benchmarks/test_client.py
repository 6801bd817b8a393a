"""The clients against the function with the bundled model, in its own process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.client import Client, Load, load
from benchmarks.engine import images_per_second
from benchmarks.photos import photo
from benchmarks.server import Server, serving
from benchmarks.variants import Variant

PHOTOS = [photo((64, 48), seed) for seed in range(2)]


@pytest.fixture(scope="module")
def server(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variant = Variant("bundled", "bundled", bundled)
    folder = variant.assemble(tmp_path_factory.mktemp("build"))
    with serving(folder, variant.variables(), PHOTOS[0]) as server:
        yield server


def test_every_request_of_every_client_is_counted(server: Server) -> None:
    result = load(server, PHOTOS, 4, requests=21)

    assert len(result.latencies) == 21
    assert not result.errors
    assert max(result.latencies) <= result.seconds
    assert result.per_second == 21 / result.seconds


def test_an_answer_tells_what_its_time_went_to(server: Server) -> None:
    with Client(server) as client:
        answer = client.post(PHOTOS[0])

    assert answer.problem is None
    assert answer.stages.keys() == {"wait", "decode", "inference"}
    assert 0 < sum(answer.stages.values()) < answer.seconds


def test_a_run_ends_in_time(server: Server) -> None:
    result = load(server, PHOTOS, 2, seconds=0.2)

    assert result.seconds >= 0.2
    assert result.latencies


def test_a_wrong_answer_is_an_error_and_no_measurement(server: Server) -> None:
    result = load(server, [PHOTOS[0], b"no photo"], 2, requests=10)

    assert len(result.latencies) == 5
    assert result.errors == {"status 415": 5}


def test_a_refused_connection_is_an_error(server: Server) -> None:
    nobody = Server(server.host, 9, server.process, 0)

    assert load(nobody, PHOTOS, 1, requests=2).errors == {"ConnectionRefusedError": 2}


def test_runs_add_up() -> None:
    total = Load(seconds=2, latencies=[0.5, 0.5])
    total.add(Load(seconds=2, latencies=[1.0]))

    assert total.per_second == 0.75


def test_memory_is_that_of_the_server(server: Server) -> None:
    peak = server.peak()

    if peak is None:
        pytest.skip("no /proc here")
    # Python, OpenVINO, a small model and the decoders.
    assert 50 < peak < 600


def test_the_engine_is_measured_alone_and_in_batches(bundled: Path) -> None:
    rates = images_per_second(Variant("bundled", "bundled", bundled), 0.05)

    assert rates.keys() == {"1", "8"}
    assert all(rate > 0 for rate in rates.values())
