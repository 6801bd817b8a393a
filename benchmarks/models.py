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

from local.model_cache import cache

ARCHITECTURE = "ViT-B-32"
PROJECT = Path(__file__).parent.parent


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
        return self.folder / "exported"

    @property
    def onnx(self) -> Path:
        """The image tower: "pixels" uint8 [1, height, width, 3] in, float32 [1, dim] of unit length out."""
        return self.folder / "image.onnx"


def kept(architecture: str = ARCHITECTURE) -> Models:
    """Where ``make`` puts the model of an architecture: in the cache folder, so that it is made once."""
    return Models(cache() / "benchmarks" / architecture)


def make(architecture: str = ARCHITECTURE) -> Models:
    """Make what is missing.

    Raises:
        subprocess.CalledProcessError: it could not be made; the reason was printed.
    """
    models = kept(architecture)
    models.folder.mkdir(parents=True, exist_ok=True)
    # Separate processes: torch's memory and threads stay out of the one that measures.
    if not models.onnx.exists():
        _run("benchmarks.models", architecture, str(models.folder))
    if _is_stale(models.exported / "model.json"):
        print("Exporting it, which takes minutes; the result is kept …", file=sys.stderr)
        _run("backend.clip.export", "--model", f"local-dir:{models.checkpoint}", "--out", str(models.exported))
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
    folder.mkdir(exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.models", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("architecture")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    logging.disable()  # open_clip warns that the weights are random, as they shall be
    made = Models(arguments.folder)
    write_checkpoint(arguments.architecture, made.checkpoint)
    unfinished = made.onnx.with_suffix(".part")
    write_onnx(made.checkpoint, unfinished)
    unfinished.rename(made.onnx)
