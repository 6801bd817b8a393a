"""The prompts of the labels: every template with every label."""

import open_clip
import torch
from torch import Tensor

from backend.clip.export.cifar100 import LABELS, TEMPLATES


def label_prompts(clip: open_clip.CLIP, tokens: Tensor) -> Tensor:
    """Unit embeddings [templates, 100, dim] of the labels' prompts; ``tokens`` [templates, 100, context]."""
    with torch.no_grad():
        return torch.stack([clip.encode_text(prompts, normalize=True) for prompts in tokens])


def prompt_tokens(context_length: int) -> Tensor:
    """Tokens [templates, 100, context] of every template with every label."""
    tokenizer = open_clip.SimpleTokenizer(context_length=context_length)
    return torch.stack([tokenizer([template.format(label) for label in LABELS]) for template in TEMPLATES])
