"""What an exported image tower has beside its embedding, so that a label can be found in the picture.

Two kinds of towers have a map, float32 [n, ...], of which each position stands for a part of the picture and from which
the embedding of the whole is made:

* Convolutional trunks whose last feature map is averaged. What follows the average, applied to a position instead, says
  what is there: with a linear head that is the class activation map (Zhou et al., "Learning Deep Features for
  Discriminative Localization", CVPR 2016). The exported tower holds all that this takes. An EfficientNet's last layer,
  a 1x1 convolution, looks at each position alone anyway; its input is smaller, and is the map.
* open_clip's own vision transformers with a class token: the tokens before the last block, see ``PatchEmbeddings``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from open_clip.timm_model import TimmModel
from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn
from torch.nn import functional

from .trim import ClassTokenBlock


def layer_after_map(visual: Any) -> nn.Module | None:
    """The layer whose input is the map; None for an image tower of another kind.

    Args:
        visual: an image tower of ``trim.without_unread_tokens``.
    """
    if isinstance(visual, TimmModel):
        pool: Any = getattr(visual.trunk, "global_pool", None)
        if not isinstance(pool, SelectAdaptivePool2d) or pool.pool_type != "avg":
            return None
        pointwise = isinstance(visual.trunk, EfficientNet) and visual.trunk.conv_head.kernel_size == (1, 1)
        return visual.trunk.conv_head if pointwise else pool
    last: nn.Module | None = visual.transformer.resblocks[-1] if hasattr(visual, "transformer") else None
    return last if isinstance(last, ClassTokenBlock) else None


@contextmanager
def inputs_of(layer: nn.Module | None) -> Iterator[list[Tensor]]:
    """A list that gets the input of a layer each time that it is called."""
    inputs: list[Tensor] = []
    if layer is None:
        yield inputs
        return
    hook = layer.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    try:
        yield inputs
    finally:
        hook.remove()


class PatchEmbeddings(nn.Module):
    """What the last block of a vision transformer adds, taken for each patch instead of the class token.

    The values of the last block go through its output projection, the last layer norm and the projection to the
    embedding, without the residual connection and the MLP (Zhou, Loy & Dai, "Extract Free Dense Labels from CLIP",
    ECCV 2022). Patches attend to those with a query like their own, which is as cheap as to attend to none (Wang, Mei &
    Yuille, "SCLIP", ECCV 2024; in this form Lan et al., "ClearCLIP", ECCV 2024).
    """

    def __init__(self, visual: Any) -> None:
        """``visual``: an image tower whose ``layer_after_map`` is a ``ClassTokenBlock``."""
        super().__init__()
        self.visual = visual
        self.block = visual.transformer.resblocks[-1].block

    def forward(self, tokens: Tensor) -> Tensor:
        """float32 [n, 1 + rows · columns, width] to rows of unit length, float32 [n, rows, columns, dim]."""
        attention = self.block.attn
        normed = self.block.ln_1(tokens[:, 1:])
        weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
        query, value = (self._heads(functional.linear(normed, weights[i], biases[i])) for i in (0, 2))
        attended = functional.scaled_dot_product_attention(query, query, value).transpose(1, 2).flatten(2)
        patches = self.visual.ln_post(self.block.ls_1(attention.out_proj(attended)))
        if self.visual.proj is not None:
            patches = patches @ self.visual.proj
        rows, columns = self.visual.grid_size
        return functional.normalize(patches, dim=-1).reshape(len(patches), rows, columns, -1)

    def _heads(self, tokens: Tensor) -> Tensor:
        """[n, tokens, heads · dim] to [n, heads, tokens, dim]."""
        count, length, _ = tokens.shape
        return tokens.reshape(count, length, self.block.attn.num_heads, -1).transpose(1, 2)
