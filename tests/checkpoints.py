"""Small open_clip checkpoints with random weights, in the form that ``local-dir:`` loads."""

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

VISION: dict[str, dict[str, Any]] = {
    "vit": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "vit-quickgelu": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "resnet": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 32, "patch_size": None},
    "timm": {"image_size": 96, "timm_model_name": "tf_efficientnet_lite0", "timm_pool": "avg", "timm_proj": "mlp"},
}
TEXT: dict[str, Any] = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}


def write_checkpoint(
    folder: Path, kind: str, *, text: dict[str, Any] | None = None, preprocess: dict[str, Any] | None = None
) -> str:
    """Write a checkpoint of one of the ``VISION`` kinds and return what open_clip calls it."""
    # A text tower that looks both ways exists as a module of its own only.
    model_class = open_clip.CustomTextCLIP if text else open_clip.CLIP
    model_config = {
        "embed_dim": 64,
        "quick_gelu": kind.endswith("quickgelu"),
        "vision_cfg": VISION[kind],
        "text_cfg": TEXT | (text or {}),
    }
    folder.mkdir(parents=True)
    config = {"model_cfg": model_config | {"custom_text": bool(text)}, "preprocess_cfg": preprocess or {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    model = model_class(**model_config)
    spread_embeddings(model)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def spread_embeddings(model: torch.nn.Module) -> None:
    """Random towers map everything close together; larger weights in the text tower tell the labels apart."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "token_embedding" in name or "positional_embedding" in name:
                parameter.mul_(20)
