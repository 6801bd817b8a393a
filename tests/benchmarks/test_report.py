"""Goals and tables for known numbers."""

import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.client import Load
from benchmarks.goals import goals
from benchmarks.machine import Machine
from benchmarks.plan import Measured
from benchmarks.report import markdown, plot, write_json
from benchmarks.variants import Variant

MACHINE = Machine("A processor", 2, 2, False, "Linux x86_64", {"openvino": "1"}, 0.1, 150.0)


def measured(key: str, title: str, milliseconds: float, **more: object) -> Measured:
    result = Measured(Variant(key, title, Path("model")))
    result.small = [milliseconds / 1000] * 10
    for name, value in more.items():
        setattr(result, name, value)
    return result


@pytest.fixture
def results() -> list[Measured]:
    clip = measured(
        *("clip", "`clip`", 20),
        forward=[0.015],
        large=[0.070],
        small_stages=[{"decode": 0.004, "inference": 0.0155}] * 10,
        engine_memory=(300.0, 450.0),
        starts=[0.5, 0.6, 5.0],
        loads={1: Load(1, [0.020] * 50), 8: Load(2, [0.1] * 96)},
        engine={"one": [40.0, 50.0, 60.0], "two": [45.0, 45.0, 45.0]},
        steady=Load(200, [0.1] * 98 + [0.4] * 2),
        memory_before=400.0,
        memory_after=416.0,
        peak=500.0,
        errors=Counter({"status 500": 1}),
    )
    return [clip, measured("open_clip", "(a) torch", 100, starts=[4.2])]


def test_goals_are_met_or_not_as_the_numbers_say(results: list[Measured]) -> None:
    found = {(goal.what, goal.wanted): goal for goal in goals(results, bf16=False, image_megabytes=None)}

    assert [(wanted, goal.measured, goal.met) for (_, wanted), goal in found.items()] == [
        ("≤ 6 ms over the forward pass", "5.0 ms over the forward pass", True),
        ("≥ 2.5 x faster than (a)", "5.0 x faster than (a)", True),
        ("≥ 200 x faster than (d)", "not measured", None),
        ("≤ 1.3 s", "0.60 s", True),
        ("≥ 3.5 x faster than (a)", "7.0 x faster than (a)", True),
        ("≥ 0.9 of the engine alone at its best", "0.96 of the engine alone at its best", True),
        ("≤ 3 x p50", "4.0 x p50", False),
        ("≤ 0", "1", False),
        ("≤ 45 ms more than 640x480", "50.0 ms more than 640x480", False),
        ("≤ 600 MB", "500 MB", True),
        ("< 3 %", "4.0 %", False),
        ("≤ 3 ms more than none", "not measured", None),
        ("≤ 450 MB", "not measured", None),
    ]


def test_bf16_has_goals_of_its_own(results: list[Measured]) -> None:
    found = goals([*results, measured("clip-f32", "f32", 50)], bf16=True, image_megabytes=451)

    assert [(goal.wanted, goal.met) for goal in found if goal.wanted.endswith("than (a)")] == [
        ("≥ 4 x faster than (a)", True),
        ("≥ 2.5 x faster than (a)", False),
        ("≥ 3.5 x faster than (a)", True),
    ]
    assert found[-1].met is False


def test_without_clip_there_is_nothing_to_reach(results: list[Measured]) -> None:
    assert goals(results[1:], bf16=False, image_megabytes=None) == []


def test_the_table_says_what_was_measured_where(results: list[Measured]) -> None:
    text = markdown(results, goals(results, bf16=False, image_megabytes=None), MACHINE)

    assert "A processor, without bf16; 2 cores, 2 usable" in text
    assert "| `clip` | 0.60 s | 15.0 ms | 20.0 ms | 20.0 ms | 5.0x | 70.0 ms | 48.0 | 100 ms | 1 | 500 MB |" in text
    assert "| (a) torch | 4.20 s | - | 100 ms |" in text
    assert "| … p99 | ≤ 3 x p50 | 4.0 x p50 | **not met** |" in text
    assert "(b), open_clip in bf16, was not measured" in text
    assert "a 640x480 photo takes 4.0 ms decode, 15.5 ms inference, 0.5 ms rest" in text
    assert "a 12 MP photo" not in text
    assert "50.0 images/s, one (others: 45.0 two)" in text
    assert "300 MB for one image at a time, 450 for batches too" in text
    assert "150 GFLOP/s" in text
    assert "errors {'status 500': 1}" in text
    assert "Not a quiet machine" not in text
    columns = {line.count("|") for line in text.split("\n\n")[1].splitlines()}
    assert columns == {12}


def test_a_busy_machine_is_admitted(results: list[Measured]) -> None:
    busy = Machine("A processor", 2, 2, True, "Linux x86_64", {}, 3.2, 150.0)

    assert "Not a quiet machine**: its load average was 3.2" in markdown(results, [], busy)


def test_json_and_plot_hold_the_same(results: list[Measured], tmp_path: Path) -> None:
    write_json(results, goals(results, bf16=False, image_megabytes=None), MACHINE, tmp_path / "results.json")
    plot(results, tmp_path / "plot.svg")
    again = tmp_path / "again.svg"
    plot(results, again)

    document = json.loads((tmp_path / "results.json").read_text())
    assert document["variants"]["clip"]["load"]["8"] == {"images_per_second": 48, "p50": 100, "p99": 100, "count": 96}
    assert document["variants"]["clip"]["start_to_first_200"]["p50"] == 600
    assert document["variants"]["clip"]["stages_of_640x480"] == {"decode": 4, "inference": 15.5, "rest": 0.5}
    assert document["machine"]["processor"] == "A processor"
    assert ElementTree.parse(tmp_path / "plot.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert again.read_bytes() == (tmp_path / "plot.svg").read_bytes()
