"""The benchmark's command, on the bundled model, which needs no export."""

import json
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.service import read
from tests.launch import PROJECT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)


def test_one_run_prints_a_table_and_writes_the_files(tmp_path: Path) -> None:
    result = run("--quick", "--only", "bundled", "--out", str(tmp_path / "results"))

    assert result.returncode == 3, result.stderr
    said = result.stdout.partition("\n")[0]
    assert said.startswith("**Not to be quoted**: ")
    assert said.endswith("each was measured in one round.")
    row, spent = [line for line in result.stdout.splitlines() if line.startswith("| `clip`, the bundled model")]
    cells = [cell.strip() for cell in row.split("|")[2:-1]]
    assert [cells[2], cells[4]] == ["-", "-"]  # nothing to compare with
    assert all(float(cells[i].rstrip("%").replace(",", "")) > 0 for i in (0, 1, 3, 5, 6, 7, 8, 9))
    assert all(float(cell.strip().rstrip("%").replace(",", "")) >= 0 for cell in spent.split("|")[2:-1])
    assert result.stdout.endswith("No request failed.\n")
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"results.md", "results.json", "comparison.svg"}
    assert (tmp_path / "results" / "results.md").read_text() == result.stdout
    document = json.loads((tmp_path / "results" / "results.json").read_text())
    assert document["doubts"][-1] == "each was measured in one round"
    bundled = document["variants"]["bundled"]
    assert bundled["small"]["number"] == 12
    assert bundled["engine, batches of 8"]["p50"] > 0
    assert bundled["processor's limit, images/s"]["p50"] > 0
    assert read(tmp_path / "results" / "results.json", "bundled").doubts == document["doubts"]


def test_an_unknown_variant_is_refused(tmp_path: Path) -> None:
    result = run("--quick", "--only", "bundled", "tensorflow", "--out", str(tmp_path))

    assert result.returncode == 2
    # Python 3.13 names the choices without quotation marks.
    assert re.search(r"invalid choice: 'tensorflow' \(choose from '?clip-", result.stderr)
