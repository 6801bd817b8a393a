"""The memory of replicas, with a very small model."""

from pathlib import Path

from benchmarks.memory import measure


def test_two_replicas_share_what_is_in_files(exported: dict[str, Path]) -> None:
    one, two = (measure(replicas, exported["vit"], 0.5, lambda: None) for replicas in (1, 2))

    assert list(one) == list(two)
    assert min(memory.own for memory in one.values()) > 30, "Python, OpenVINO and the decoders allocate more"
    assert two["idle"].own > 1.5 * one["idle"].own
    assert two["idle"].files < 2 * one["idle"].files, "how much less depends on who else has the libraries in memory"
    assert all(memory.all >= memory.own for memory in (*one.values(), *two.values()))
