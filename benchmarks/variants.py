"""The functions that are compared, each put together as an image would be: the template's server and a handler."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from local import stack
from local.assemble import assemble

from .models import Models
from .tuned.tuning import Tuning

PROJECT = Path(__file__).parent.parent
_HERE = Path(__file__).parent
_TUNED = _HERE / "tuned"


@dataclass(frozen=True)
class Variant:
    key: str
    title: str
    model: Path
    """An exported model folder; the baselines take the labels and their embeddings from it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    tuning: Tuning | None = None
    """For ``clip`` with other settings than its own."""

    @property
    def is_baseline(self) -> bool:
        return "baseline" in self.environment

    @property
    def is_ours(self) -> bool:
        """What is served as it is, with no other settings."""
        return not self.is_baseline and self.tuning is None

    @property
    def loads_once(self) -> bool:
        return self.environment.get("baseline") != "original"

    def assemble(self, build: Path) -> Path:
        """Returns the folder, new in ``build``, that the server is started in."""
        (clip,) = stack.read(PROJECT / "clip.yml")
        handler = _HERE / "baselines" if self.is_baseline else clip.handler
        folder = assemble(replace(clip, name=self.key, handler=handler), PROJECT / "template", build, self.model)
        if self.tuning is not None:
            function = folder / "function"
            function.rename(folder / "clip")
            shutil.copytree(_TUNED, function)
            (folder / "clip").rename(function / "clip")
        return folder

    def variables(self) -> dict[str, str]:
        """The environment of the server, as the stack file and the image set it."""
        (clip,) = stack.read(PROJECT / "clip.yml")
        of_function = {name: value for name, value in clip.environment.items() if name != "suppress_lock"}
        of_image = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        tuning = {} if self.tuning is None else {"clip_settings": json.dumps(asdict(self.tuning))}
        return {**os.environ, **of_function, **of_image, **tuning, **self.environment}


def compared(models: Models, bundled: Path, *, bf16: bool) -> list[Variant]:
    """All variants, the product first; those in bf16 only where the processor has it."""
    checkpoint, exported = {"checkpoint": str(models.checkpoint)}, models.exported
    torch = {"baseline": "with_open_clip", **checkpoint}
    variants = [Variant("clip", f"`clip`, OpenVINO {'bf16' if bf16 else 'f32'}", exported)]
    if bf16:
        tuning = Tuning(engine={"INFERENCE_PRECISION_HINT": "f32"})
        variants.append(Variant("clip-f32", "`clip`, OpenVINO f32", exported, tuning=tuning))
    variants.append(Variant("open_clip", "(a) open_clip, torch fp32", exported, torch))
    if bf16:
        variants.append(
            Variant("open_clip-bf16", "(b) open_clip, torch bf16", exported, {**torch, "precision": "bf16"})
        )
    return [
        *variants,
        Variant("onnx", "(c) ONNX Runtime fp32", exported, {"baseline": "with_onnx_runtime", "onnx": str(models.onnx)}),
        Variant("original", "(d) all of it on every request", exported, {"baseline": "original", **checkpoint}),
        Variant("bundled", "`clip` with the bundled model", bundled),
    ]
