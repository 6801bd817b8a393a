"""settings.py: durations and numbers as people write them, or a refusal that names the variable."""

import pytest

from frontend.index.settings import count, seconds


@pytest.mark.parametrize(("text", "expected"), [("", 23), ("20", 20), ("20s", 20), ("2.5 s", 2.5), ("1500ms", 1.5)])
def test_durations(text: str, expected: float) -> None:
    assert seconds("clip_timeout", "23s", {"clip_timeout": text}) == expected


@pytest.mark.parametrize("text", ["0", "-1s", "soon", "ms", "nan", "1e3", "5h", "9" * 5000])
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^clip_timeout must be a duration such as 23s"):
        seconds("clip_timeout", "23s", {"clip_timeout": text})


def test_numbers() -> None:
    assert count("max_inflight", "32", {}) == 32
    assert count("max_inflight", "32", {"max_inflight": "0"}) == 0
    with pytest.raises(ValueError, match=r"^max_inflight must be a whole number"):
        count("max_inflight", "32", {"max_inflight": "many"})
