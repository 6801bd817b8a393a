"""open_clip's towers in the form that is exported: pixels or tokens in, embeddings of unit length out."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from open_clip import SimpleTokenizer
from open_clip.tokenizer import get_clean_fn
from open_clip.transformer import TextTransformer, text_global_pool
from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from tokenizers.processors import TemplateProcessing
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


def bpe_tokenizer(tokenizer: Any) -> Tokenizer:
    """open_clip's CLIP tokenizer as a ``tokenizers.Tokenizer``, for text that ``text.clean`` has cleaned.

    Raises:
        ValueError: it is not the CLIP BPE tokenizer with its usual cleaning.
    """
    if type(tokenizer) is not SimpleTokenizer or tokenizer.clean_fn is not get_clean_fn("lower"):
        raise ValueError(
            f"The model's tokenizer ({type(tokenizer).__name__}) is not the CLIP BPE tokenizer with lower-case "
            "cleaning, which is the only kind that can be exported."
        )
    bpe = Tokenizer(BPE(vocab=tokenizer.encoder, merges=list(tokenizer.bpe_ranks), end_of_word_suffix="</w>"))
    words = Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")
    bpe.pre_tokenizer = PreTokenizers(
        [Split(words, behavior="removed", invert=True), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    start, end = tokenizer.decoder[tokenizer.sot_token_id], tokenizer.decoder[tokenizer.eot_token_id]
    bpe.add_special_tokens([start, end])
    bpe.post_processor = TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(start, tokenizer.sot_token_id), (end, tokenizer.eot_token_id)],
    )
    return bpe
