"""Tables from numbers whose answer is known."""

import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.client import Load
from benchmarks.machine import Machine
from benchmarks.measure import Measured, medians
from benchmarks.report import markdown, plot, write_json
from benchmarks.variants import AVX2_VNNI, Variant

MACHINE = Machine("A processor", 2, 2, ["bf16", "f32"], "Linux x86_64", {"openvino": "1"}, 0.1)
REPLICAS = {"one on one core": (20.0, 300.0), "two on one core each": (39.0, 600.0)}


@pytest.fixture
def results() -> list[Measured]:
    clip = Measured(
        Variant("clip", "`clip`", Path("model"), compared_with="open_clip"),
        starts=[0.5, 0.6, 5.0],
        small=[0.020] * 10,
        small_stages=[{"decode": 0.004, "inference": 0.0155}] * 10,
        large=[0.070],
        load=Load(2, [0.1] * 96),
        engine={"1": [40.0, 50.0, 60.0], "8": [60.0, 60.0, 60.0]},
        peak=500.0,
        errors=Counter({"status 500": 1}),
    )
    torch = Measured(
        Variant("open_clip", "torch", Path("model")), small=[0.1] * 10, small_stages=[{}] * 10, load=Load(2, [0.5] * 24)
    )
    simulated = Measured(Variant("vnni", "`clip`, int8", Path("model"), processor=AVX2_VNNI))
    return [clip, torch, simulated]


def test_the_table_says_what_was_measured_where(results: list[Measured]) -> None:
    text = markdown(results, REPLICAS, MACHINE)

    assert "A processor, 2 cores, 2 usable within affinity and CPU quota; computes in bf16, f32." in text
    row = "20.0 ms / 20.0 ms | 5.0x | 48.0 | 4.0x | 100 ms | 70.0 ms | 0.60 s | 500 MB | 1"
    assert f"| `clip` | {row} |" in text
    assert "| torch | 100 ms / 100 ms | - | 12.0 | - | 500 ms | - | - | - | 0 |" in text
    assert "AVX2-VNNI, simulated:" in text
    assert "| two on one core each | 39.0 | 600 MB |" in text
    assert "`clip`: 4.5 ms beside the forward pass." in text
    assert "`clip`: the engine alone 50.0 in batches of 1, 60.0 in batches of 8 images/s; 8 clients get 0.80" in text
    assert "`clip`: errors {'status 500': 1}." in text
    assert "Not a quiet machine" not in text


def test_stages_of_a_server_that_does_not_tell() -> None:
    assert medians([]) == {}
    assert medians([{}, {}]) == {}
    assert medians([{"decode": 0.004}, {"decode": 0.006}]) == {"decode": 5.0}


def test_the_document_has_every_number(results: list[Measured], tmp_path: Path) -> None:
    write_json(results, REPLICAS, MACHINE, tmp_path / "results.json")

    document = json.loads((tmp_path / "results.json").read_text())
    clip = document["variants"]["clip"]
    assert clip["http_640x480"] == {"p50": 20.0, "p99": 20.0, "count": 10}
    assert clip["beside_the_forward_pass"]["p50"] == 4.5
    assert clip["load"]["images_per_second"] == 48
    assert document["replicas"]["one on one core"] == {"images_per_second": 20.0, "peak_memory_mb": 300.0}


def test_the_plot_is_always_the_same_svg(results: list[Measured], tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        plot(results, tmp_path / name)

    assert ElementTree.parse(tmp_path / "one.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
