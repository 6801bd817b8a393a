"""Kinds of open_clip models: what is written of each, for its counterpart in ``inference/model_kinds.py``."""

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from open_clip import SimpleTokenizer
from open_clip.tokenizer import HFTokenizer, SigLipTokenizer, get_clean_fn
from open_clip.transformer import TextTransformer
from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn
from torch.nn import functional

from ..inference.model_kinds import SigLip
from .towers import TextTower

# The weights in the blocks of a text tower 512 wide and 12 deep, which is that of ViT-B/32.
_BLOCKS_OF_CLIP = 12 * (12 * 512**2 + 13 * 512)


class ExportedKind(ABC):
    """An open_clip model as one of its kind."""

    NAME: ClassVar[str]
    """In ``inference.model_kinds.KINDS``."""
    tokenizer: Tokenizer
    """For text that the kind has cleaned; without padding."""
    padding: int
    trims_padding: bool = False
    label_price: int | None = None

    @abstractmethod
    def tower(self) -> tuple[nn.Module, Tensor, list[int]]:
        """The text tower that is exported, an example of its input, and that input's shape, -1 for what varies."""

    @abstractmethod
    def encode_text(self, tokens: Tensor, normalize: bool) -> Tensor:
        """As open_clip's models have it, always of unit length."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write the files of this kind into the model folder."""


class ClipKind(ExportedKind):
    """open_clip's own BPE tokenizer with lower-case cleaning, and any text tower."""

    NAME = "clip"

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.tokenizer = bpe_tokenizer(tokenizer)
        self.padding = 0
        self._tower = TextTower(model)
        self.trims_padding = self._tower.causal
        self._example = tokenizer(["a photo of a cat.", "a dog"])

    def tower(self) -> tuple[nn.Module, Tensor, list[int]]:
        return self._tower, self._example, [-1, -1 if self.trims_padding else self._example.shape[1]]

    def encode_text(self, tokens: Tensor, normalize: bool) -> Tensor:
        return self._tower.encode_text(tokens, normalize)

    def write(self, folder: Path) -> None:
        """There are none."""


class SigLipKind(ExportedKind):
    """SigLIP's tokenizer, of Hugging Face's kind with canonical cleaning, and a tower that reads its last position."""

    NAME = "siglip"

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Take over a model.

        Raises:
            ValueError: its tokenizer or its text tower is of another form.
        """
        text = model.text
        if not (
            type(text) is TextTransformer
            and text.attn_mask is None
            and text.cls_emb is None
            and not text.use_pad_mask
            and text.pool_type == "last"
            and isinstance(text.text_projection, nn.Linear)
        ):
            raise ValueError("The model has SigLIP's tokenizer, and a text tower that is not SigLIP's.")
        fast = tokenizer.tokenizer
        if fast.padding_side != "right" or fast.pad_token_id is None:
            raise ValueError("The model's tokenizer does not pad on the right, as SigLIP's does.")
        self.tokenizer = Tokenizer.from_str(fast.backend_tokenizer.to_str())
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.padding = int(fast.pad_token_id)
        weights = sum(parameter.numel() for parameter in text.transformer.parameters())
        self._model = model
        self._context = tokenizer.context_length
        self.label_price = max(self._context, math.ceil(self._context * weights / _BLOCKS_OF_CLIP))

    def tower(self) -> tuple[nn.Module, Tensor, list[int]]:
        shape = [self._context, self._model.text.width]
        return _LastPosition(self._model.text), torch.zeros(2, *shape), [-1, *shape]

    def encode_text(self, tokens: Tensor, normalize: bool) -> Tensor:
        return cast(Tensor, self._model.encode_text(tokens, normalize=True))

    def write(self, folder: Path) -> None:
        """Write the embeddings of the tokens as int8, each row by its own scale."""
        weight = self._model.text.token_embedding.weight.detach().float().numpy()
        scales = np.maximum(np.abs(weight).max(axis=1, keepdims=True), 1e-20) / 127
        np.save(folder / SigLip.ROWS, np.rint(weight / scales).astype(np.int8))
        np.save(folder / SigLip.SCALES, scales.astype(np.float32))


class _LastPosition(nn.Module):
    """SigLIP's text tower behind the embeddings of its tokens; open_clip's ``TextTransformer.forward``."""

    def __init__(self, text: Any) -> None:
        super().__init__()
        self.text = text

    def forward(self, embeddings: Tensor) -> Tensor:
        """float32 [n, context, width] to float32 [n, dim], rows of unit length."""
        text = self.text
        x = text.ln_final(text.transformer(embeddings + text.positional_embedding))
        return functional.normalize(text.text_projection(x[:, -1]), dim=-1)


def kind_of(model: Any, tokenizer: Any) -> ExportedKind:
    """The kind of a loaded open_clip model.

    Raises:
        ValueError: it is of none that can be exported.
    """
    if type(tokenizer) is SimpleTokenizer and tokenizer.clean_fn is get_clean_fn("lower"):
        return ClipKind(model, tokenizer)
    if type(tokenizer) is SigLipTokenizer or (
        type(tokenizer) is HFTokenizer
        and tokenizer.clean_fn is get_clean_fn("canonicalize")
        and not tokenizer.tokenizer_mode
        and not tokenizer.strip_sep_token
    ):
        return SigLipKind(model, tokenizer)
    raise ValueError(
        f"The model's tokenizer ({type(tokenizer).__name__}) is neither the CLIP BPE tokenizer with lower-case "
        "cleaning nor SigLIP's with canonical cleaning, which are the only kinds that can be exported."
    )


def bpe_tokenizer(tokenizer: Any) -> Tokenizer:
    """open_clip's CLIP tokenizer as a ``tokenizers.Tokenizer``, for text that ``Clip.clean`` has cleaned."""
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
