"""The functions that are compared, each put together as an image would be: the template's server and a handler."""

import os
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from local import stack
from local.assemble import assemble
from local.model_cache import CLIP, PROJECT

from .models import Models

BUNDLED = CLIP / "model"
HERE = "this processor"
AVX2_VNNI = "AVX2-VNNI, simulated"
# What OpenVINO Model Server sets where nothing is set, and what its documentation advises for many requests.
_HINTS = ("latency", "throughput")
_AS_MODEL_SERVER = "OpenVINO, set up as its Model Server does"
(_CLIP,) = stack.read(PROJECT / "clip.yml")
# What keeps oneDNN, which OpenVINO and PyTorch use, and PyTorch's own kernels from newer instructions.
_AVX2_VNNI = {"ONEDNN_MAX_CPU_ISA": "AVX2_VNNI", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


@dataclass(frozen=True)
class Variant:
    key: str
    title: str
    model: Path
    """An exported model folder. The baselines take the labels and their embeddings from it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    compared_with: str | None = None
    """The key of the variant that ratios are taken to."""
    processor: str = HERE

    @property
    def is_baseline(self) -> bool:
        return "baseline" in self.environment

    @property
    def loads_once(self) -> bool:
        return self.environment.get("baseline") != "original"

    @property
    def lacks(self) -> str | None:
        """What this machine has not, without which the variant cannot run."""
        compiler, header = os.environ.get("CXX", "g++"), Path(sysconfig.get_path("include"), "Python.h")
        if "compile" in self.environment and not shutil.which(compiler):
            return f"a C++ compiler: {compiler}"
        if "compile" in self.environment and not header.exists():
            return f"Python's headers: {header.name}"
        return None

    def assemble(self, build: Path) -> Path:
        """Returns the folder, new in ``build``, that the server is started in."""
        handler = Path(__file__).parent / "baselines" if self.is_baseline else _CLIP.handler
        return assemble(replace(_CLIP, name=self.key, handler=handler), PROJECT / "template", build, self.model)

    def variables(self) -> dict[str, str]:
        """The environment of the server, as the stack file and the image set it."""
        of_function = {name: value for name, value in _CLIP.environment.items() if name != "suppress_lock"}
        of_image = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **of_function, **of_image, **self.environment}


def compared(models: Models, larger: Models, processor: frozenset[str]) -> list[Variant]:
    """All variants, this project's first; those in a number format only where the processor has it.

    Args:
        models: ViT-B/32.
        larger: ViT-B/32 at 256 pixels.
        processor: its number formats, and "avx_vnni" if it has that: without it, it cannot be simulated.
    """
    formats = [name for name in ("int8", "bf16", "f32") if name in processor]
    best = next(name for name in formats if name != "int8")
    clip, b32, torch = "`clip`, ViT-B/32", models.exported, "open_clip"
    in_torch = {"baseline": "open_clip", "checkpoint": str(models.checkpoint)}
    # The first request waits for the compiler; later processes find what it wrote.
    compiled = in_torch | {"precision": "bf16", "compile": "1"}
    hints = {hint: {"baseline": "openvino", "onnx": str(models.onnx), "hint": hint.upper()} for hint in _HINTS}
    rust = {"baseline": "faster-clip", "FASTER_CLIP_CACHE": str(models.faster_clip)}
    variants = [
        *(Variant(f"clip-{name}", f"{clip}, {name}", b32, {"inference_precision": name}, torch) for name in formats),
        Variant("clip-256", f"{clip} at 256 pixels, {best}", larger.exported, {"inference_precision": best}, torch),
        Variant("bundled", "`clip`, the bundled model", BUNDLED),
        Variant(torch, "open_clip in PyTorch, f32", b32, in_torch, torch),
        Variant("open_clip-bf16", "open_clip in PyTorch, bf16", b32, in_torch | {"precision": "bf16"}, torch),
        Variant("open_clip-compiled", "open_clip in PyTorch, bf16, compiled", b32, compiled, torch),
        Variant("onnx", "ONNX Runtime, f32", b32, {"baseline": "onnx", "onnx": str(models.onnx)}, torch),
        *(Variant(f"openvino-{hint}", f"{_AS_MODEL_SERVER}, {hint}", b32, hints[hint], torch) for hint in _HINTS),
        Variant("faster-clip", "faster-clip, int8 weights", b32, rust, torch),
        Variant("original", "model and prompts on every request", b32, in_torch | {"baseline": "original"}, torch),
    ]
    if "avx_vnni" in processor:
        of = {"compared_with": "vnni-open_clip", "processor": AVX2_VNNI}
        capped = {"inference_precision": "int8", **_AVX2_VNNI}
        variants += [
            Variant("vnni-int8", f"{clip}, int8", b32, capped, **of),
            Variant("vnni-open_clip", "open_clip in PyTorch, f32", b32, in_torch | _AVX2_VNNI, **of),
        ]
    return [variant for variant in variants if variant.environment.get("precision", best) in processor]
