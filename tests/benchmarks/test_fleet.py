"""The simulation's command."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.fleet import main
from tests.launch import PROJECT


def cells(text: str, start: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_it_says_how_near_it_is_and_what_a_rate_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rates", "100", "--price", "0.1", "--gateway-ms", "1"]) == 0
    text = capsys.readouterr().out

    assert 0.9 <= float(cells(text, "two on one core each")[-1]) <= 1.1
    rate, replicas, _, refused, gateway, cores, hour, million, *_ = cells(text, "100")
    assert (rate, gateway) == ("100", "1")
    # By Little's law and its capacity, one replica cannot do; ten would be a tenth busy.
    assert 2 <= int(replicas) <= 5
    assert float(refused.removesuffix("%")) <= 0.2
    assert int(cores) == 2 * int(replicas) + 1
    assert float(hour) == pytest.approx(int(cores) * 0.1)
    assert float(million) == pytest.approx(int(cores) * 0.1 / 360_000 * 1e6, abs=0.01)
    limits = [float(number.replace(",", "")) for number in re.findall(r"^- ([\d,]+) images/s:", text, re.MULTILINE)]
    assert limits == sorted(limits)
    assert limits[-1] == 1000  # a core of the gateway, with a millisecond for each


def test_the_documentation_quotes_it(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rates", "100"])
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("|", "- "))]
    quoted = (PROJECT / "docs" / "performance.md").read_text(encoding="utf-8").splitlines()

    assert len(printed) == 12
    assert [line for line in printed if line not in quoted] == []


def test_what_cannot_be_in_time_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rates", "100", "--p99", "5"]) == 1

    assert "No replica answers 99 of 100 within 5 ms" in capsys.readouterr().err


def test_a_file_that_has_not_the_figures_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.json"
    document = json.loads((PROJECT / "benchmarks" / "results" / "epyc-zen5.json").read_text())
    results.write_text(json.dumps(document | {"variants": {}}))

    assert main(["--measured", str(results)]) == 1
    assert f"{results} has not all figures of clip-bf16" in capsys.readouterr().err
    assert main(["--measured", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--rates", "0"], ["--large", "2"], ["--cores", "0"], ["--price", "inf"]])
def test_a_number_that_makes_no_sense_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(wrong)

    assert error.value.code == 2
