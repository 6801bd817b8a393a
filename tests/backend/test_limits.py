"""limits.py: sizes as people write them, or a refusal that names the variable."""

import pytest

from backend.clip.limits import count, seconds, size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 7),
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
    assert size("max_image_bytes", 7, {"max_image_bytes": text}) == expected


@pytest.mark.parametrize("text", ["0", "-5", "20 apples", "MB", "nan", "1e6", "20MBit", "9" * 5000, "٣MB"])
def test_what_is_no_size_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^max_image_bytes must be a size such as"):
        size("max_image_bytes", 7, {"max_image_bytes": text})


@pytest.mark.parametrize("text", ["0", "-5", "50MP", "1e6", "9" * 5000])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^max_image_pixels must be a whole number"):
        count("max_image_pixels", 7, {"max_image_pixels": text})


@pytest.mark.parametrize(("text", "expected"), [("", 5), ("5", 5), ("2.5s", 2.5), ("500ms", 0.5), ("10 S", 10)])
def test_durations(text: str, expected: float) -> None:
    assert seconds("decode_timeout", 5, {"decode_timeout": text}) == expected


@pytest.mark.parametrize("text", ["0", "-5s", "5 min", "1e6", "10ms", "9" * 5000])
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^decode_timeout must be a duration such as 5s"):
        seconds("decode_timeout", 5, {"decode_timeout": text})
