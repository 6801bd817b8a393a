"""Tables from numbers whose answer is known."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.client import Answer
from benchmarks.measure import Samples, Spread, spreads, take
from benchmarks.report import machine, markdown, plot
from benchmarks.variants import AVX2_VNNI, Variant

VARIANTS = [
    Variant("clip", "`clip`", Path("model"), compared_with="open_clip"),
    Variant("open_clip", "torch", Path("model"), {"baseline": "open_clip"}, "open_clip"),
    Variant("vnni", "`clip`, int8", Path("model"), processor=AVX2_VNNI),
]
REPLICAS = {"one on one core": (20.0, 300.0), "two on one core each": (39.0, 600.0)}


@pytest.fixture
def measured() -> dict[str, dict[str, Spread]]:
    clip = Samples(list)
    take(clip, "small", [Answer(0.020, None, {"wait": 0, "decode": 0.004, "inference": 0.0155})] * 10)
    take(clip, "small", [Answer(9, "status 500", {})] * 2)
    take(clip, "busy", [Answer(0.1, None, {})] * 96)
    clip |= {"start": [500, 600, 5000], "large": [70], "memory": [400, 500], "images/s": [48]}
    clip |= {"engine, batches of 1": [40, 50, 60], "engine, batches of 8": [60], "processor's limit, images/s": [96]}
    torch = Samples(list, {"small": [100], "busy": [500], "images/s": [12]})
    return {"clip": spreads(clip), "open_clip": spreads(torch), "vnni": {}}


def test_the_table_says_what_was_measured_where(measured: dict[str, dict[str, Spread]]) -> None:
    text = markdown({"processor": "A processor", "cores": "2"}, VARIANTS, measured, REPLICAS)

    assert "- processor: A processor\n- cores: 2\n" in text
    assert "| `clip` | 20.0 | 20.0 | 5 | 48.0 | 4 | 50% | 100 | 70.0 | 600 | 499 |" in text
    assert "| torch | 100 | 100 | 1 | 12.0 | 1 | - | 500 | - | - | - |" in text
    assert "| `clip` | 0.0 | 4.0 | 15.5 | 4.5 | - | 50.0 | 52% | 60.0 | 62% | 96.0 |" in text
    assert "on AVX2-VNNI, simulated" in text
    assert "| `clip`, int8 | - |" in text
    assert "| two on one core each | 39.0 | 600 |" in text
    assert text.endswith("\n\n- clip, error: status 500: 2\n")


def test_what_is_not_to_be_quoted_says_so_first(measured: dict[str, dict[str, Spread]]) -> None:
    arguments = ({"cores": "2"}, VARIANTS, measured, REPLICAS)

    text = markdown(*arguments, ["it was busy", "it was slow"], {"compiled torch": "a C++ compiler: g++"})

    assert text.startswith("**Not to be quoted**: it was busy; it was slow.\n\n- cores: 2\n")
    assert "- compiled torch: left out, as this machine lacks a C++ compiler: g++\n" in text
    assert "quoted" not in markdown(*arguments)


def test_the_machine_is_described() -> None:
    here = machine()

    assert here["processor"]
    assert "f32" in here["computes in"]
    assert "torch 2" in here["packages"]


def test_the_plot_is_always_the_same_svg(measured: dict[str, dict[str, Spread]], tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        plot(VARIANTS, measured, tmp_path / name)

    assert ElementTree.parse(tmp_path / "one.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
