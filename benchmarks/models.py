"""ViT-B/32 with random weights, which cost the same time as trained ones, in every form that is compared.

python -m benchmarks.models ARCHITECTURE DIR
"""

import argparse
import json
import logging
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.model_cache import cache

ARCHITECTURE = "ViT-B-32"
LARGER = "ViT-B-32-256"
PROJECT = Path(__file__).parent.parent
_PHOTOS = 60


@dataclass(frozen=True)
class Models:
    """Where the forms of one random model are."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """What open_clip loads as ``local-dir:``."""
        return self.folder / "checkpoint"

    @property
    def exported(self) -> Path:
        """With an image tower in int8 too."""
        return self.folder / "exported"

    @property
    def onnx(self) -> Path:
        """The image tower: "pixels" uint8 [1, height, width, 3] in, float32 [1, dim] of unit length out."""
        return self.folder / "image.onnx"

    @property
    def faster_clip(self) -> Path:
        """The folder that faster-clip looks into before it downloads."""
        return self.folder / "faster-clip"


def kept(architecture: str = ARCHITECTURE) -> Models:
    """Where `make` puts the model of an architecture: in the cache folder, so that it is made once."""
    return Models(cache() / "benchmarks" / architecture)


def make(architecture: str = ARCHITECTURE) -> Models:
    """Make what is missing.

    Raises:
        subprocess.CalledProcessError: it could not be made; the reason was printed.
    """
    models = kept(architecture)
    models.folder.mkdir(parents=True, exist_ok=True)
    # Separate processes: torch's memory and threads stay out of the one that measures.
    if not (models.checkpoint / "open_clip_model.safetensors").exists():
        _run("benchmarks.models", architecture, str(models.folder))
    if _is_stale(models.exported / "model.json"):
        print(f"Exporting {architecture}, which takes minutes; the result is kept …", file=sys.stderr)
        _run("backend.clip.export", "--model", f"local-dir:{models.checkpoint}", "--out", str(models.exported))
        _run("benchmarks.models", architecture, str(models.folder), "--forms")
    return models


def _is_stale(manifest: Path) -> bool:
    """Whether the export is missing, or older than what makes it."""
    exporter = (PROJECT / "backend" / "clip" / "export").glob("*.py")
    return not manifest.exists() or any(source.stat().st_mtime > manifest.stat().st_mtime for source in exporter)


def _run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=PROJECT, stdout=sys.stderr, check=True)  # noqa: S603


def write_checkpoint(architecture: str, folder: Path) -> None:
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = open_clip.create_model(architecture)
    config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": {}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")


def write_int8(exported: Path) -> None:
    """As the export does it, but with random weights, whose best labels lie side by side: agreement is no condition."""
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from backend.clip.export import quantize
    from backend.clip.manifest import Manifest

    from .photos import SMALL, photo

    quantize.MIN_AGREEMENT = quantize.MIN_COSINE = 0
    with TemporaryDirectory() as folder:
        for seed in range(_PHOTOS):
            Path(folder, f"{seed}.jpg").write_bytes(photo(SMALL, seed))
        checked = quantize.quantize(exported, Path(folder))
    manifest = Manifest.read(exported)
    replace(manifest, precisions=manifest.precisions | {"int8": checked}).write(exported)


def write_onnx(checkpoint: Path, path: Path) -> None:
    import open_clip
    import torch

    from backend.clip.export.towers import ImageTower

    model, _ = open_clip.create_model_from_pretrained(f"local-dir:{checkpoint}")
    model = model.eval().requires_grad_(False)
    torch.backends.mha.set_fastpath_enabled(False)  # the fused attention kernel cannot be traced
    preprocessing = open_clip.get_model_preprocess_cfg(model)
    size = preprocessing["size"] if isinstance(preprocessing["size"], (tuple, list)) else (preprocessing["size"],) * 2
    torch.onnx.export(
        ImageTower(model, preprocessing["mean"], preprocessing["std"]).eval(),
        (torch.zeros(1, *size, 3, dtype=torch.uint8),),
        path,
        input_names=["pixels"],
        output_names=["embedding"],
        external_data=False,
        verbose=False,
    )


def write_faster_clip(checkpoint: Path, folder: Path) -> None:
    """The image tower under the names that Hugging Face's ``CLIPModel`` has, where faster-clip 0.4 caches it."""
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(checkpoint / "open_clip_model.safetensors")
    names = {
        "class_embedding": "embeddings.class_embedding",
        "positional_embedding": "embeddings.position_embedding.weight",
        "conv1.weight": "embeddings.patch_embedding.weight",
    }
    parts = {"ln_pre": "pre_layrnorm", "ln_post": "post_layernorm", "ln_1": "layer_norm1", "ln_2": "layer_norm2"}
    parts |= {"attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
    renamed: dict[str, Any] = {"visual_projection.weight": weights["visual.proj"].T}
    for name, tensor in weights.items():
        own = name.removeprefix("visual.").replace("transformer.resblocks", "encoder.layers")
        layer, is_packed, kind = own.partition("attn.in_proj_")
        if own in names:
            renamed[f"vision_model.{names[own]}"] = tensor
        elif name.startswith("visual.") and is_packed:
            for part, rows in zip("qkv", torch.chunk(tensor, 3), strict=True):
                renamed[f"vision_model.{layer}self_attn.{part}_proj.{kind}"] = rows
        elif name.startswith("visual.") and name != "visual.proj":
            part = next(part for part in parts if f"{part}." in own)
            renamed[f"vision_model.{own.replace(part, parts[part])}"] = tensor
    path = folder / "sentence-transformers__clip-ViT-B-32" / "0_CLIPModel" / "model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in renamed.items()}, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.models", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("architecture")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--forms", action="store_true", help="what is made of the checkpoint, not the checkpoint")
    arguments = parser.parse_args()
    logging.disable()  # open_clip warns that the weights are random, as they shall be
    made = Models(arguments.folder)
    if arguments.forms:
        write_int8(made.exported)
        write_onnx(made.checkpoint, made.onnx)
        write_faster_clip(made.checkpoint, made.faster_clip)
    else:
        write_checkpoint(arguments.architecture, made.checkpoint)
