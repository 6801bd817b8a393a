"""The number format that a model computes in: the fastest that the processor has and that agrees with open_clip."""

import os
from collections.abc import Collection
from pathlib import Path

from .engine import ov

PRECISIONS = ("int8", "bf16", "f16", "f32")
"""The fastest first, on processors that have them."""
_CPUINFO = Path("/proc/cpuinfo")
# Without these instructions int8 takes as long as f32.
_INT8_INSTRUCTIONS = frozenset(("avx512_vnni", "avx_vnni"))


def instructions(cpuinfo: Path = _CPUINFO) -> frozenset[str]:
    """The extensions that this processor has, by Linux's names, such as "avx_vnni"; none on another system."""
    return frozenset(cpuinfo.read_text().split()) if cpuinfo.exists() else frozenset()


def available(cpuinfo: Path = _CPUINFO) -> frozenset[str]:
    """The precisions that this processor has instructions for."""
    capabilities = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    int8 = bool(instructions(cpuinfo) & _INT8_INSTRUCTIONS)
    native = {"bf16": "BF16" in capabilities, "f16": "FP16" in capabilities, "int8": int8}
    return frozenset(name for name, has in native.items() if has) | {"f32"}


def setting(checked: Collection[str]) -> str | None:
    """The precision that ``inference_precision`` in the environment asks for; None for ``auto``.

    Args:
        checked: the precisions that this model was checked in, whether it agreed or not.

    Raises:
        ValueError: it is not a precision, or this model was not checked in it.
    """
    name = os.environ.get("inference_precision", "").strip().lower() or "auto"
    if name not in ("auto", *checked):
        raise ValueError(f"inference_precision must be auto or one of {', '.join(checked)}, not {name[:80]!r}")
    return None if name == "auto" else name


def fastest(agreeing: Collection[str], processor: Collection[str] | None = None) -> str:
    """The fastest precision that the processor has, of those that agree with open_clip.

    Args:
        processor: what it has, if not this one's ``available``.
    """
    native = available() if processor is None else processor
    return next(name for name in PRECISIONS if name in agreeing and name in native)
