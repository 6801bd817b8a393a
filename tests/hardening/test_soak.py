"""tests/hardening/soak.py: a short run of it, and that it finds what is broken."""

import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.hardening.soak import FUNCTIONS, Held, Look, soaking, table
from tests.hardening.traffic import good_traffic
from tests.launch import running
from tests.processes import MEGABYTE

SECONDS = 20.0


def test_good_traffic_beside_a_little_of_every_attack() -> None:
    said: list[str] = []
    with soaking(large=["JPEG"]) as soak:
        soak.run(SECONDS, said.append)
        problems = soak.problems()
        print("\n".join(said), table("good", soak.good), table("attacks", soak.attacks), sep="\n")
        assert problems == []
        assert soak.sent > 40
        assert {"bombs", "header floods", "JSON floods", "malformed requests", "aborted requests"} <= set(soak.attacks)
        assert {"trickling uploads", "connections left open", "many-image forms"} <= set(soak.attacks)
        assert set(soak.looks[0].held) == set(FUNCTIONS)

        # What would be broken is found.
        functions = {child.cmdline()[3]: child for child in psutil.Process(soak.program.process.pid).children()}
        functions["clip"].kill()
        (soak.folder / "left behind").touch()
        soak.run(1, said.append)
        found = "\n".join(soak.problems())
        assert "clip ended with status -9" in found
        assert re.search(r"there are \d+ files, and were \d+", found)


HELD = Held(memory=700 * MEGABYTE, resident=800 * MEGABYTE, descriptors=20, threads=50, processes=4, zombies=0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"memory": 736 * MEGABYTE}, "clip grew from 700.0 to 736.0 MB"),
        ({"resident": 841 * MEGABYTE}, "clip grew from 800.0 to 841.0 MB resident"),
        ({"descriptors": 25}, "clip has 25 descriptors, and had 20"),
        ({"threads": 51}, "clip has 51 threads in 4 processes, and had 50 in 4"),
        ({"processes": 5}, "clip has 50 threads in 5 processes, and had 50 in 4"),
        ({"zombies": 1}, "clip has 1 zombies"),
        ({"memory": 734 * MEGABYTE, "descriptors": 22, "threads": 49}, None),
    ],
)
def test_what_has_grown(change: dict[str, int], problem: str | None) -> None:
    before = Look(60, 1000, {"clip": HELD}, 100)
    after = Look(600, 10_000, {"clip": replace(HELD, **change)}, 100)
    assert before.grown_into(after) == ([problem] if problem else [])
    assert before.grown_into(replace(after, files=101))[-1:] == ["there are 101 files, and were 100"]


def test_a_small_function_may_keep_a_little_more() -> None:
    small = replace(HELD, memory=40 * MEGABYTE, resident=50 * MEGABYTE)
    before = Look(60, 1000, {"index": small}, 100)
    for grown, problems in ((31, []), (33, ["index grew from 40.0 to 73.0 MB"])):
        after = replace(before, held={"index": replace(small, memory=(40 + grown) * MEGABYTE)})
        assert before.grown_into(after) == problems


def test_every_format_goes_to_both_functions() -> None:
    kinds = {(one.name, one.function) for one in good_traffic(large=[])}
    for name in (
        "JPEG",
        "PNG",
        "WebP",
        "GIF",
        "BMP",
        "TIFF",
        "AVIF",
        "HEIC",
        "form",
        "base64",
        "Hugging Face",
        "labels",
    ):
        assert {(name, "clip"), (name, "index")} <= kinds


def test_ctrl_c_ends_it_and_all_that_it_has_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, "-m", "tests.hardening.soak", "--minutes", "5"]
    with running(command, "", lambda program: "all clients begin" in program.output()) as program:
        started = psutil.Process(program.process.pid).children(recursive=True)
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(60) == 130
        assert len(started) > 3
        assert psutil.wait_procs(started, 10)[1] == []
        assert "Traceback" not in program.output()
        assert program.output().endswith("Interrupted.\n")
        assert list(tmp_path.glob("soak-*")) == []
