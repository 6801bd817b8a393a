"""server/environment.py: durations, sizes and numbers as people write them, or a refusal that names the variable."""

import pytest

from server.environment import count, seconds, size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 23),
        ("20", 20),
        ("20s", 20),
        ("2.5 s", 2.5),
        ("1500ms", 1.5),
        ("10 S", 10),
        ("100ms", 0.1),
        ("1m30s", 90),
        ("20m", 1200),
        ("0.5s500ms", 1),
        ("1h 1m 1s 1ms", 3661.001),
        ("0.5h", 1800),
    ],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds("clip_timeout", "23s", {"clip_timeout": text}) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text", ["0", "-1s", "-5", "soon", "ms", "s", " ", "nan", "inf", "1e3", "5 min", "1s1m", "10ms", "٣s", "9" * 5000]
)
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^clip_timeout must be a duration such as 23s"):
        seconds("clip_timeout", "23s", {"clip_timeout": text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 7340032),
        ("20971520", 20_971_520),
        ("20MB", 20_000_000),
        ("20 mb", 20_000_000),
        ("20MiB", 20_971_520),
        ("20Mi", 20_971_520),
        ("20m", 20_971_520),
        ("1.5GB", 1_500_000_000),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert size("max_image_bytes", "7MiB", {"max_image_bytes": text}) == expected


@pytest.mark.parametrize("text", ["0", "-5", "20 apples", "MB", "nan", "1e6", "20MBit", "9" * 5000, "٣MB"])
def test_what_is_no_size_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^max_image_bytes must be a size such as 7MiB"):
        size("max_image_bytes", "7MiB", {"max_image_bytes": text})


def test_numbers() -> None:
    assert count("max_inflight", "32", {}) == 32
    assert count("max_inflight", "32", {"max_inflight": "64"}) == 64
    assert count("max_inflight", "32", {"max_inflight": "0"}, least=0) == 0


@pytest.mark.parametrize("text", ["0", "-5", "many", "50MP", "1e6", "1.5", "9" * 5000])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^max_image_pixels must be a whole number such as 7, and at least 1"):
        count("max_image_pixels", "7", {"max_image_pixels": text})
