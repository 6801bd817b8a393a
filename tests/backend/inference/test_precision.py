"""Which number format a model computes in, and how that is chosen."""

from pathlib import Path

import pytest

from backend.clip.inference.precision import available, fastest, setting


@pytest.mark.parametrize(
    ("agreeing", "processor", "expected"),
    [
        (("f32", "bf16", "f16", "int8"), ("f32", "bf16", "int8"), "int8"),
        (("f32", "bf16", "f16"), ("f32", "bf16", "int8"), "bf16"),
        (("f32", "bf16", "f16"), ("f32", "f16"), "f16"),
        (("f32", "f16"), ("f32", "bf16"), "f32"),
        (("f32", "bf16", "int8"), ("f32",), "f32"),
    ],
)
def test_the_fastest_that_agrees_and_that_the_processor_has(
    agreeing: tuple[str, ...], processor: tuple[str, ...], expected: str
) -> None:
    assert fastest(agreeing, processor) == expected


@pytest.mark.parametrize(
    ("flags", "int8"),
    [("fpu avx2 avx_vnni", True), ("avx512f avx512_vnni", True), ("avx2 avx512f", False), (None, False)],
)
def test_int8_needs_its_instructions(flags: str | None, int8: bool, tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if flags:
        cpuinfo.write_text(f"processor : 0\nflags\t\t: {flags}\n")

    assert ("int8" in available(cpuinfo)) == int8
    assert "f32" in available(cpuinfo)


@pytest.mark.parametrize(("value", "expected"), [("", None), ("auto", None), (" BF16 ", "bf16"), ("f32", "f32")])
def test_the_setting(value: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("inference_precision", value)

    assert setting(("f32", "bf16")) == expected


@pytest.mark.parametrize("value", ["int8", "float32", "x" * 200])
def test_a_setting_that_this_model_does_not_have(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("inference_precision", value)

    with pytest.raises(ValueError, match="must be auto or one of f32, bf16, not") as error:
        setting(("f32", "bf16"))
    assert len(str(error.value)) < 200
