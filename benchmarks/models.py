"""ViT-B/32 with random weights, which cost the same time as trained ones, in every form that is compared."""

import json
import logging
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from local.model_cache import PROJECT, cache

from .photos import SMALL, photo

ARCHITECTURE = "ViT-B-32"
LARGER = "ViT-B-32-256"
_WEIGHTS = "open_clip_model.safetensors"


class Models(NamedTuple):
    """Where the forms of one random model are."""

    checkpoint: Path  # what open_clip loads as ``local-dir:``
    exported: Path  # with an image tower in int8 too
    onnx: Path  # the image tower: "pixels" uint8 [1, height, width, 3] in, float32 [1, dim] of unit length out
    faster_clip: Path  # the folder that faster-clip looks into before it downloads


def kept(architecture: str = ARCHITECTURE) -> Models:
    """Where ``make`` puts the model of an architecture: in the cache folder, so that it is made once."""
    folder = cache() / "benchmarks" / architecture
    return Models(*(folder / name for name in ("checkpoint", "exported", "image.onnx", "faster-clip")))


def make(architecture: str = ARCHITECTURE) -> Models:
    """Make what is missing, and what is older than the exporter.

    Raises:
        subprocess.CalledProcessError: it could not be exported; the reason was printed.
    """
    models = kept(architecture)
    # Other processes: torch's memory and threads stay out of the one that measures.
    with ProcessPoolExecutor(1, get_context("spawn"), logging.disable) as process:
        if not (models.checkpoint / _WEIGHTS).exists():
            process.submit(write_checkpoint, architecture, models.checkpoint).result()
        manifest, exporter = models.exported / "model.json", (PROJECT / "backend" / "clip" / "export").glob("*.py")
        if not manifest.exists() or any(file.stat().st_mtime > manifest.stat().st_mtime for file in exporter):
            print(f"Exporting {architecture}, which takes minutes; the result is kept …", file=sys.stderr)
            command = [sys.executable, "-m", "backend.clip.export", "--model", f"local-dir:{models.checkpoint}"]
            subprocess.run([*command, "--out", models.exported], cwd=PROJECT, stdout=sys.stderr, check=True)  # noqa: S603
            process.submit(write_onnx, models.checkpoint, models.onnx).result()
            process.submit(write_faster_clip, models.checkpoint, models.faster_clip).result()
            process.submit(write_int8, models.exported).result()
    return models


def write_checkpoint(architecture: str, folder: Path) -> None:
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = open_clip.create_model(architecture)
    config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": {}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / _WEIGHTS)


def write_int8(exported: Path) -> None:
    """As the export does it, but with random weights, whose best labels lie side by side: they need not agree."""
    from backend.clip.export import quantize
    from backend.clip.manifest import Manifest

    quantize.MIN_AGREEMENT = quantize.MIN_COSINE = 0
    with TemporaryDirectory() as folder:
        for seed in range(60):
            Path(folder, f"{seed}.jpg").write_bytes(photo(SMALL, seed))
        checked = quantize.quantize(exported, Path(folder))
    manifest = Manifest.read(exported)
    replace(manifest, precisions=manifest.precisions | {"int8": checked}).write(exported)


def write_onnx(checkpoint: Path, path: Path) -> None:
    import torch
    from open_clip import get_model_preprocess_cfg

    from backend.clip.export.source import load
    from backend.clip.export.towers import ImageTower
    from backend.clip.photos.preprocessing import Preprocessing

    model = load(f"local-dir:{checkpoint}", None).model
    config = get_model_preprocess_cfg(model)
    torch.backends.mha.set_fastpath_enabled(False)  # the fused attention kernel cannot be traced
    tower = ImageTower(model, config["mean"], config["std"]).eval()
    pixels = torch.zeros(1, *Preprocessing.from_open_clip(config).size, 3, dtype=torch.uint8)
    names: dict[str, Any] = {"input_names": ["pixels"], "output_names": ["embedding"]}
    torch.onnx.export(tower, (pixels,), path, external_data=False, verbose=False, **names)


def write_faster_clip(checkpoint: Path, folder: Path) -> None:
    """The image tower under the names that Hugging Face's ``CLIPModel`` has, where faster-clip 0.4 caches it."""
    import torch
    from safetensors.torch import load_file, save_file

    names = {
        "class_embedding": "embeddings.class_embedding",
        "positional_embedding": "embeddings.position_embedding.weight",
        "conv1.": "embeddings.patch_embedding.",
        "transformer.resblocks": "encoder.layers",
        "ln_pre": "pre_layrnorm", "ln_post": "post_layernorm", "ln_1": "layer_norm1", "ln_2": "layer_norm2",
        "attn.": "self_attn.", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    }  # fmt: skip
    weights = load_file(checkpoint / _WEIGHTS)
    renamed = {"visual_projection.weight": weights.pop("visual.proj").T}
    for name, tensor in weights.items():
        _, is_visual, own = name.partition("visual.")
        for theirs, hugging_face in names.items():
            own = own.replace(theirs, hugging_face)
        if is_visual and "in_proj_" in own:
            for letter, rows in zip("qkv", torch.chunk(tensor, 3), strict=True):
                renamed[f"vision_model.{own.replace('in_proj_', f'{letter}_proj.')}"] = rows
        elif is_visual:
            renamed[f"vision_model.{own}"] = tensor
    path = folder / "sentence-transformers__clip-ViT-B-32" / "0_CLIPModel" / "model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in renamed.items()}, path)
