"""The functions that are compared, each put together as an image would be: the template's server and a handler."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from local import stack
from local.assemble import assemble

from .models import Models

PROJECT = Path(__file__).parent.parent
BUNDLED = PROJECT / "backend" / "clip" / "model"
HERE = "this processor"
AVX2_VNNI = "AVX2-VNNI, simulated"
# What keeps oneDNN, which OpenVINO and PyTorch use, and PyTorch's own kernels from newer instructions.
_AVX2_VNNI = {"ONEDNN_MAX_CPU_ISA": "AVX2_VNNI", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


@dataclass(frozen=True)
class Variant:
    key: str
    title: str
    model: Path
    """An exported model folder. The baselines take the labels and their embeddings from it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    processor: str = HERE
    compared_with: str | None = None
    """The key of the variant that ratios are taken to."""

    @property
    def is_baseline(self) -> bool:
        return "baseline" in self.environment

    @property
    def loads_once(self) -> bool:
        return self.environment.get("baseline") != "original"

    def assemble(self, build: Path) -> Path:
        """Returns the folder, new in ``build``, that the server is started in."""
        (clip,) = stack.read(PROJECT / "clip.yml")
        handler = Path(__file__).parent / "baselines" if self.is_baseline else clip.handler
        return assemble(replace(clip, name=self.key, handler=handler), PROJECT / "template", build, self.model)

    def variables(self) -> dict[str, str]:
        """The environment of the server, as the stack file and the image set it."""
        (clip,) = stack.read(PROJECT / "clip.yml")
        of_function = {name: value for name, value in clip.environment.items() if name != "suppress_lock"}
        of_image = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **of_function, **of_image, **self.environment}


def compared(models: Models, larger: Models, processor: frozenset[str]) -> list[Variant]:
    """All variants, this project's first; those in a number format only where the processor has it.

    Args:
        models: ViT-B/32.
        larger: ViT-B/32 at 256 pixels.
        processor: its number formats.
    """
    torch = {"baseline": "with_open_clip", "checkpoint": str(models.checkpoint)}
    onnx = {"baseline": "with_onnx_runtime", "onnx": str(models.onnx)}
    rust = {"baseline": "with_faster_clip", "FASTER_CLIP_CACHE": str(models.faster_clip)}
    original = {"baseline": "original", "checkpoint": str(models.checkpoint)}

    def ours(key: str, title: str, model: Path, precision: str, **more: str) -> Variant:
        return Variant(key, title, model, {"inference_precision": precision, **more}, compared_with="open_clip")

    formats = [name for name in ("int8", "bf16", "f32") if name in processor]
    best = next(name for name in formats if name != "int8")
    variants = [
        *(ours(f"clip-{name}", f"`clip`, ViT-B/32, {name}", models.exported, name) for name in formats),
        ours("clip-256", f"`clip`, ViT-B/32 at 256 pixels, {best}", larger.exported, best),
        Variant("bundled", "`clip`, the bundled model", BUNDLED),
        Variant("open_clip", "open_clip in PyTorch, f32", models.exported, torch),
    ]
    if "bf16" in processor:
        bf16 = {**torch, "precision": "bf16"}
        variants.append(Variant("open_clip-bf16", "open_clip in PyTorch, bf16", models.exported, bf16))
    variants += [
        Variant("onnx", "ONNX Runtime, f32", models.exported, onnx),
        Variant("faster-clip", "faster-clip, int8 weights", models.exported, rust),
        Variant("original", "model and prompts on every request", models.exported, original),
    ]
    if "int8" in processor:
        capped = ours("vnni-int8", "`clip`, ViT-B/32, int8", models.exported, "int8", **_AVX2_VNNI)
        plain = Variant("vnni-open_clip", "open_clip in PyTorch, f32", models.exported, torch | _AVX2_VNNI)
        variants += [
            replace(capped, processor=AVX2_VNNI, compared_with=plain.key),
            replace(plain, processor=AVX2_VNNI),
        ]
    return variants
