"""open_clip's towers in the form that is exported: pixels or tokens in, embeddings of unit length out."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from open_clip.transformer import TextTransformer, text_global_pool
from torch import Tensor, nn
from torch.nn import functional

from .explain import inputs_of, layer_after_map
from .fine_classes import FineClasses


class ImageTower(nn.Module):
    """The image tower with the normalization of its pixels in front."""

    def __init__(
        self, model: Any, mean: Sequence[float], std: Sequence[float], classes: FineClasses | None = None
    ) -> None:
        """``classes`` for a model whose image tower is a timm trunk with a head."""
        super().__init__()
        self.model = model
        self.classes = classes
        self.mean = nn.Buffer(torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.std = nn.Buffer(torch.tensor(std).view(1, 3, 1, 1) * 255)

    @property
    def has_map(self) -> bool:
        return layer_after_map(self.model.visual) is not None

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """uint8 [n, height, width, 3] to float32 [n, dim], then [n, classes] where there are fine classes, and last the
        map (``explain.py``) where there is one."""
        normalized = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std
        with inputs_of(layer_after_map(self.model.visual)) as maps:
            if self.classes is None:
                return self.model.encode_image(normalized, normalize=True), *maps
            features = self.model.visual.trunk(normalized)
            embedding = self.model.visual.head(features)
            return functional.normalize(embedding, dim=-1), self.classes(features, embedding), *maps


class TextTower(nn.Module):
    """The text tower; where its attention is causal it also takes sequences shorter than the context.

    What follows the end token cannot change the embedding then, and labels are short: computing 16 tokens instead of 77
    is about five times cheaper.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        text = model.text
        self.causal = (
            type(text) is TextTransformer
            and text.attn_mask is not None
            and text.cls_emb is None
            and text.pool_type in ("argmax", "eos")
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """int64 [n, length], zero after the end token, to float32 [n, dim]."""
        if not self.causal:
            return cast(Tensor, self.model.encode_text(tokens, normalize=True))
        text, length = self.model.text, tokens.shape[1]
        x = text.token_embedding(tokens) + text.positional_embedding[:length]
        x = text.ln_final(text.transformer(x, attn_mask=text.attn_mask[:length, :length]))
        x = text_global_pool(x, tokens, pool_type=text.pool_type, eos_token_id=text.eos_id)
        projection = text.text_projection
        if isinstance(projection, nn.Linear):
            x = projection(x)
        elif projection is not None:
            x = x @ projection
        return functional.normalize(x, dim=-1)

    def encode_text(self, tokens: Tensor, normalize: bool) -> Tensor:
        """As open_clip's models have it, always of unit length; without the columns that are padding in all rows."""
        # The end token has the highest id. Zero is not only padding: it is the id of "!" before other characters, too.
        length = int(tokens.argmax(dim=1).max()) + 1
        return cast(Tensor, self(tokens[:, :length] if self.causal else tokens))
