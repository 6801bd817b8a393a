"""When figures are not to be quoted."""

from pathlib import Path
from unittest import mock

import psutil
import pytest

from benchmarks.measure import Benchmark
from benchmarks.quiet import Watch, doubts
from benchmarks.variants import Variant


def test_a_quiet_machine_gives_no_doubts() -> None:
    assert doubts(0.4, 0.01, [("a", 10.0, 11.4), ("b", 11.4, 10.0)]) == []


@pytest.mark.parametrize(
    ("load", "steal", "pair", "said"),
    [
        (0.7, 0, (10, 10), "the load average was 0.7 before the run, more than 0.5"),
        (0, 0.031, (10, 10), "the host took 3.1% of the processors' time, more than 2%"),
        (0, 0, (10, 12), "a rate was measured twice, 20% apart: 10.0 and 12.0"),
        (0, 0, (12, 10), "a rate was measured twice, 20% apart: 12.0 and 10.0"),
    ],
)
def test_each_doubt_is_told_with_its_figures(load: float, steal: float, pair: tuple[float, float], said: str) -> None:
    assert doubts(load, steal, [("a rate", *pair)]) == [said]


def test_what_the_host_takes_is_a_share_of_the_time_since(monkeypatch: pytest.MonkeyPatch) -> None:
    times = psutil.cpu_times()
    if not hasattr(times, "steal"):
        pytest.skip("this system does not tell")
    later = times._replace(steal=times.steal + 1, user=times.user + 4, idle=times.idle + 5)
    monkeypatch.setattr(psutil, "cpu_times", iter([times, later, times, times]).__next__)

    assert Watch().steal() == pytest.approx(0.1)
    assert Watch().steal() == 0  # no time has passed


def test_the_halves_of_a_run_are_two_measurements_of_the_same(tmp_path: Path) -> None:
    variant = Variant("bundled", "`clip`", tmp_path)
    with mock.patch.object(Variant, "assemble"), mock.patch("benchmarks.measure.photo"):
        twice, once = (Benchmark([variant], rounds, tmp_path) for rounds in (4, 1))
    for benchmark in (twice, once):
        benchmark._samples["bundled"] |= {"small": [20, 22, 21, 30, 31, 32], "images/s": [50, 50, 40, 40]}

    assert twice.halves() == [("`clip`, small", 21, 31), ("`clip`, images/s", 50, 40)]
    assert once.halves() == []
