"""Computes the last block of a vision transformer only for the token that is read.

An image tower that pools by its class token does not read the other tokens of its last block. Their queries, output
projections and MLPs are not needed: a fifteenth of all the work in ViT-B/32. Keys and values are needed for all tokens.
"""

import copy
from typing import Any

import torch
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.timm_model import TimmModel
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from timm.layers.pos_embed_sincos import apply_rot_embed_cat
from timm.models.eva import Eva, EvaBlock
from torch import Tensor, nn
from torch.nn import functional


def without_unread_tokens(model: Any) -> Any:
    """A model with the same outputs and less work, for the architectures that are known here.

    Args:
        model: open_clip's, in eval mode.

    Returns:
        A copy that shares the parameters, or ``model`` itself where nothing can be left out.
    """
    if not isinstance(model, (CLIP, CustomTextCLIP)):
        return model
    trimmed = copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    visual: Any = trimmed.visual
    if _is_plain(visual):
        blocks = visual.transformer.resblocks
        blocks[-1] = ClassTokenBlock(blocks[-1])
    elif _is_separate_eva(visual):
        blocks = visual.trunk.blocks
        blocks[-1] = _EvaBlock(blocks[-1])
    else:
        return model
    return trimmed


def _is_plain(visual: Any) -> bool:
    """Whether it is open_clip's own transformer with a class token."""
    return (
        isinstance(visual, VisionTransformer)
        and visual.attn_pool is None
        and visual.pool_type == "tok"
        and type(visual.transformer.resblocks[-1]) is ResidualAttentionBlock
    )


class ClassTokenBlock(nn.Module):
    """open_clip's ``ResidualAttentionBlock``; float32 [n, tokens, dim] to [n, 1, dim]."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def forward(self, tokens: Tensor, **_: Any) -> Tensor:
        block = self.block
        normed = block.ln_1(tokens)
        read = tokens[:, :1] + block.ls_1(block.attention(normed[:, :1], normed, normed))
        out: Tensor = read + block.ls_2(block.mlp(block.ln_2(read)))
        return out


def _is_separate_eva(visual: Any) -> bool:
    """Whether it is timm's Eva with a class token and with projections of their own for queries, keys and values."""
    trunk: Any = visual.trunk if isinstance(visual, TimmModel) else None
    return (
        isinstance(trunk, Eva)
        and trunk.global_pool == "token"
        and trunk.attn_pool is None
        and type(trunk.blocks[-1]) is EvaBlock
        and trunk.blocks[-1].attn.q_proj is not None
        and trunk.blocks[-1].attn.gate is None
    )


class _EvaBlock(nn.Module):
    """timm's ``EvaBlock``; float32 [n, tokens, dim] to [n, 1, dim]. The class token has no rotary position."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def forward(self, tokens: Tensor, rope: Tensor | None = None, **_: Any) -> Tensor:
        block, attention = self.block, self.block.attn
        normed = block.norm1(tokens)
        query = attention.q_norm(self._heads(attention.q_proj(normed[:, :1])))
        key = attention.k_norm(self._heads(attention.k_proj(normed)))
        if rope is not None:
            first = attention.num_prefix_tokens
            rotated = apply_rot_embed_cat(key[:, :, first:], rope, half=attention.rotate_half)
            key = torch.cat([key[:, :, :first], rotated], dim=2)
        value = self._heads(attention.v_proj(normed))
        attended = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        read = tokens[:, :1] + _scaled(attention.proj(attention.norm(attended)), block.gamma_1)
        return read + _scaled(block.mlp(block.norm2(read)), block.gamma_2)

    def _heads(self, tokens: Tensor) -> Tensor:
        """[n, tokens, heads · dim] to [n, heads, tokens, dim]."""
        count, length, _ = tokens.shape
        return tokens.reshape(count, length, self.block.attn.num_heads, -1).transpose(1, 2)


def _scaled(tokens: Tensor, gamma: Tensor | None) -> Tensor:
    return tokens if gamma is None else gamma * tokens
