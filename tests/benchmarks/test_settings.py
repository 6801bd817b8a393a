from pathlib import Path

from benchmarks.settings import candidates, search, table


def test_candidates_fit_the_machine() -> None:
    two = [candidate.title for candidate in candidates(2, bf16=False)]
    many = [candidate.title for candidate in candidates(8, bf16=True)]

    assert len(set(two)) == len(two)
    assert "1 inference thread" in two
    assert "2 inference threads" not in two
    assert "4 inference threads" in many
    assert set(many) - set(two) >= {"f32 instead of bf16", "16 inference threads"}


def test_candidates_are_measured_beside_the_default(bundled: Path) -> None:
    wanted = ("as it is", "batches of up to 8, 4 handled at a time", "2 server threads")
    tried = [candidate for candidate in candidates(2, bf16=False) if candidate.title in wanted]

    measured = search(tried, bundled, rounds=1, seconds=0.2)

    assert set(measured) == set(wanted)
    for (round_,) in measured.values():
        assert round_.alone.latencies
        assert round_.busy.latencies
        assert not round_.alone.errors + round_.busy.errors
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(measured)[2:]]
    assert [row[0] for row in rows] == [candidate.title for candidate in tried]
    assert (rows[0][2], rows[0][4]) == ("1.00", "1.00")
    assert all(row[-1] == "0" for row in rows)
