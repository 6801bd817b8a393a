"""Small open_clip checkpoints with random weights, in the form that ``local-dir:`` loads."""

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import Replace
from tokenizers.pre_tokenizers import Split
from tokenizers.trainers import BpeTrainer

from tests.launch import PROJECT

VISION: dict[str, dict[str, Any]] = {
    "vit": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "vit-quickgelu": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "resnet": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 32, "patch_size": None},
    "siglip": {"image_size": 160, "timm_model_name": "test_vit3", "timm_pool": "map", "timm_proj": "none"},
    "timm": {"image_size": 96, "timm_model_name": "tf_efficientnet_lite0", "timm_pool": "avg", "timm_proj": "mlp"},
}
TEXT: dict[str, Any] = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}

# As open_clip's ``ViT-B-32-SigLIP2-256.json`` has them, smaller.
SIGLIP_TEXT: dict[str, Any] = {
    "context_length": 64,
    "vocab_size": 3000,
    "hf_tokenizer_name": "its own folder",
    "tokenizer_kwargs": {"clean": "canonicalize"},
    "width": 64,
    "heads": 2,
    "layers": 2,
    "no_causal_mask": True,
    "proj_bias": True,
    "pool_type": "last",
    "norm_kwargs": {"eps": 1e-6},
    "act_kwargs": {"approximate": "tanh"},
}
SIGLIP_PREPROCESS = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
WORDS = PROJECT / "backend" / "clip" / "export" / "words"


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
    if kind == "siglip":
        model_config |= {"embed_dim": 96, "init_logit_bias": -10, "text_cfg": SIGLIP_TEXT}
        model_class = open_clip.CustomTextCLIP
        preprocess = SIGLIP_PREPROCESS | (preprocess or {})
    folder.mkdir(parents=True)
    config = {
        "model_cfg": model_config | {"custom_text": model_class is open_clip.CustomTextCLIP},
        "preprocess_cfg": preprocess or {},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    model = model_class(**model_config)
    spread_embeddings(model)
    if kind == "siglip":
        write_gemma_tokenizer(folder)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def write_gemma_tokenizer(folder: Path) -> None:
    """Write a small tokenizer of Gemma's form, of the words of many languages, as SigLIP 2's repositories have it."""
    from transformers import GemmaTokenizer

    special = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    bpe = Tokenizer(BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    bpe.normalizer = Replace(" ", "▁")
    bpe.pre_tokenizer = Split("▁", "merged_with_next")
    size, letters = SIGLIP_TEXT["vocab_size"], 800  # what is not among these takes bytes
    trainer = BpeTrainer(vocab_size=size, special_tokens=special, limit_alphabet=letters, show_progress=False)
    lines = [line for path in sorted(WORDS.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
    bpe.train_from_iterator([line.lower() for line in lines], trainer)
    model = json.loads(bpe.to_str())["model"]
    merges: Any = [tuple(pair) for pair in model["merges"]]
    sides: dict[str, Any] = {"padding_side": "right", "add_bos_token": False, "add_eos_token": True}
    GemmaTokenizer(vocab=model["vocab"], merges=merges, **sides).save_pretrained(folder)


def spread_embeddings(model: torch.nn.Module) -> None:
    """Random towers map everything close together; larger weights in the text tower tell the labels apart."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "token_embedding" in name or "positional_embedding" in name:
                parameter.mul_(20)
            elif name.endswith(".gamma"):  # of layers that would do next to nothing
                parameter.fill_(1)
