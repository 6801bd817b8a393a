"""The CPU quota of a container, as the files of cgroup v1 and v2 state it."""

import os
from pathlib import Path

import pytest

from backend.clip.cpus import available_cpus


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("content", "cpus"),
    [("max 100000", 8), ("100000 100000", 1), ("150000 100000", 2), ("20000 100000", 1), ("1600000 100000", 8)],
)
def test_version_2(content: str, cpus: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(content + "\n")
    assert available_cpus(tmp_path) == cpus


@pytest.mark.parametrize(
    ("quota", "period", "cpus"), [("-1", "100000", 8), ("50000", "100000", 1), ("400000", "100000", 4)]
)
def test_version_1(quota: str, period: str, cpus: int, tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text(period + "\n")
    assert available_cpus(tmp_path) == cpus


def test_no_quota_at_all(tmp_path: Path) -> None:
    assert available_cpus(tmp_path) == 8
