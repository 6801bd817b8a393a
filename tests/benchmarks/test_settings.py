from collections import Counter
from pathlib import Path

from benchmarks.client import Load
from benchmarks.settings import Turn, candidates, search, table


def test_candidates_fit_the_machine() -> None:
    two = [candidate.title for candidate in candidates(2, bf16=False)]
    many = [candidate.title for candidate in candidates(8, bf16=True)]

    assert len(set(two)) == len(two)
    assert "1 inference thread" in two
    assert "2 inference threads" not in two
    assert "4 inference threads" in many
    assert set(many) - set(two) >= {"f32 instead of bf16", "16 inference threads"}


def test_candidates_are_measured_beside_the_default(bundled: Path) -> None:
    wanted = ("2 server threads", "batches of up to 8, 4 handled at a time")
    tried = [candidate for candidate in candidates(2, bf16=False) if candidate.title in wanted]

    measured = search(tried, bundled, turns=1, seconds=0.1)

    assert set(measured) == set(wanted)
    for (turn,) in measured.values():
        for run in (turn.default_alone, turn.alone, turn.default_busy, turn.busy):
            assert run.latencies
            assert not run.errors


def test_the_table_compares_turn_by_turn() -> None:
    slow, fast = Load(1, [0.1] * 10), Load(1, [0.05] * 20)
    worse = Load(1, [0.2] * 5, Counter({"status 500": 2}))

    lines = table({"better": [Turn(slow, fast, slow, fast)] * 3, "worse": [Turn(slow, slow, slow, worse)]})

    assert lines[2:] == [
        "| better | 50.0 ms | 0.50 | 20.0 | 2.00 | 50 ms | 0 |",
        "| worse | 100.0 ms | 1.00 | 5.0 | 0.50 | 200 ms | 2 |",
    ]
