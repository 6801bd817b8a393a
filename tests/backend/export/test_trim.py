"""What the last block leaves out changes no embedding, and leaves the model that was given as it was."""

from typing import Any

import open_clip
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from backend.clip.export.trim import without_unread_tokens
from tests.checkpoints import TEXT, VISION

EVA = {"image_size": 224, "timm_model_name": "eva02_base_patch16_clip_224", "timm_pool": "token", "timm_proj": None}


def model_of(vision: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    model = open_clip.CustomTextCLIP(embed_dim=512 if vision is EVA else 64, vision_cfg=vision, text_cfg=TEXT)
    if vision is EVA:  # it comes in this size only; two of its twelve blocks are as good
        model.visual.trunk.blocks = model.visual.trunk.blocks[-2:]
    return model.eval().requires_grad_(False)


def encode(model: Any, images: torch.Tensor) -> tuple[torch.Tensor, int]:
    """The embeddings, and what they cost in floating-point operations."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        return model.encode_image(images, normalize=True), counter.get_total_flops()


@pytest.mark.parametrize(
    "vision", [VISION["vit"], VISION["vit"] | {"ls_init_value": 0.5}, EVA], ids=["vit", "layer-scale", "eva"]
)
def test_equal_answers_for_less(vision: dict[str, Any]) -> None:
    model = model_of(vision)
    images = torch.randn(3, 3, vision["image_size"], vision["image_size"])

    expected, cost = encode(model, images)
    actual, trimmed_cost = encode(without_unread_tokens(model), images)

    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)
    assert trimmed_cost < 0.9 * cost
    assert encode(model, images)[1] == cost


@pytest.mark.parametrize(
    "vision",
    [
        VISION["resnet"],
        VISION["timm"],
        VISION["vit"] | {"pool_type": "avg"},
        VISION["vit"] | {"attentional_pool": True, "attn_pooler_heads": 2},
    ],
    ids=["resnet", "timm", "mean", "attention"],
)
def test_what_reads_all_tokens_stays_as_it_is(vision: dict[str, Any]) -> None:
    model = model_of(vision)

    assert without_unread_tokens(model) is model
