"""The clients against the function with the bundled model, in its own process."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.client import Client, load
from benchmarks.engine import images_per_second
from benchmarks.photos import photo
from benchmarks.server import Server, peak_memory, serving
from benchmarks.variants import Variant

PHOTOS = [photo((64, 48), seed) for seed in range(2)]


@pytest.fixture(scope="module")
def server(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variant = Variant("bundled", "bundled", bundled)
    folder = variant.assemble(tmp_path_factory.mktemp("build"))
    with serving(folder, variant.variables(), PHOTOS[0]) as server:
        yield server


def test_every_answer_is_measured(server: Server) -> None:
    result = load(server.port, PHOTOS, 4, 0.3)

    assert result.seconds >= 0.3
    assert len(result.answers) >= 4
    assert all(answer.problem is None and 0 < answer.seconds <= result.seconds for answer in result.answers)
    assert result.per_second == len(result.answers) / result.seconds


def test_an_answer_tells_what_its_time_went_to(server: Server) -> None:
    with closing(Client(server.port)) as client:
        answer = client.post(PHOTOS[0])

    assert answer.problem is None
    assert answer.stages.keys() == {"wait", "decode", "inference"}
    assert 0 < sum(answer.stages.values()) < answer.seconds


def test_a_wrong_answer_is_an_error_and_counts_for_nothing(server: Server) -> None:
    result = load(server.port, [PHOTOS[0], b"no photo"], 1, 0.2)

    wrong = [answer.problem for answer in result.answers if answer.problem]
    assert set(wrong) == {"status 415"}
    assert result.per_second == (len(result.answers) - len(wrong)) / result.seconds
    assert abs(len(result.answers) - 2 * len(wrong)) <= 1


def test_a_refused_connection_is_an_error() -> None:
    with closing(Client(9)) as client:
        assert client.post(PHOTOS[0]).problem == "ConnectionRefusedError"


def test_memory_is_that_of_the_server(server: Server) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("no /proc here")
    # Python, OpenVINO, a small model and the decoders.
    assert 50 < server.peak() < 600
    assert peak_memory(2**22 + 1) == 0  # nobody's


def test_the_engine_is_measured_alone_and_in_batches(bundled: Path) -> None:
    rates = images_per_second(Variant("bundled", "bundled", bundled), 0.05)

    assert rates.keys() == {1, 8}
    assert all(rate > 0 for rate in rates.values())
