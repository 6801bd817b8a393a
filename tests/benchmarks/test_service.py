"""What a simulation takes from the figures of the benchmark."""

import json
from pathlib import Path

import pytest

from benchmarks.service import Service, read
from tests.launch import PROJECT

RESULTS = PROJECT / "benchmarks" / "results"


def test_times_come_from_one_client_and_from_the_engine_alone() -> None:
    service = read(RESULTS / "epyc-zen4.json", "clip-bf16").service

    assert service.beside == pytest.approx(0.00587)
    assert service.beside_large == pytest.approx(0.00587 + 0.0363 - 0.0044)
    assert service.engine(1) == pytest.approx(1 / 40.06)
    assert service.engine(8) == pytest.approx(8 / 44.84)
    assert (service.batch, service.cores, service.start) == (8, 2, 0.83817)


def test_half_of_the_cores_take_twice_the_time_for_the_engine_alone() -> None:
    service = Service(0.004, 0.03, 0.012, 0.010, 8, 0.1, 0.6, 2)

    assert service.on(1).engine(8) == pytest.approx(2 * service.engine(8))
    assert service.on(1).beside == service.beside
    assert service.capacity == pytest.approx(8 / (8 * 0.004 + 0.012 + 7 * 0.010))


def test_the_bundled_model_is_computed_one_image_at_a_time() -> None:
    assert read(RESULTS / "epyc-zen5.json", "bundled").service.batch == 1


@pytest.mark.parametrize(
    ("variant", "change", "message"),
    [
        ("open_clip", {}, "has not all figures of open_clip"),
        ("clip-f64", {}, "has not all figures of clip-f64"),
        ("clip-bf16", {"machine": {"cores": "some"}}, "does not say how many cores"),
        ("clip-bf16", {"replicas": None}, "has not all figures of clip-bf16"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, variant: str, change: dict[str, object], message: str) -> None:
    document = json.loads((RESULTS / "epyc-zen5.json").read_text()) | change
    (tmp_path / "results.json").write_text(json.dumps(document))

    with pytest.raises(ValueError, match=message):
        read(tmp_path / "results.json", variant)
