"""The head of the image tower, in the form that training works on, and the labels' embeddings that it aims at."""

from typing import Any

import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.clip.labels import LABELS, TEMPLATES
from training.imagenet import SHARED_CLASSES, SHARED_LABELS
from training.model import imagenet_weights

_SHARPNESS = 4.0


class Head(nn.Module):
    """Pooled features [n, 1280] to a score for each label, and on to the cosine of image and label.

    A learned MLP gives the scores, and what the ImageNet classifier has to say is added: a shared class c of label y
    adds `strength * max(0, logit_c - threshold)` to the score of y. Upsampled 32-pixel images rarely pass the
    threshold; sharp photographs do. To open_clip it is all one MLP, since ImageNet's rows are hidden units like the
    learned ones; the maximum is a GELU whose input is multiplied by `_SHARPNESS` and its output divided by it.

    The scores, less their mean, become an embedding by the pseudo-inverse of the labels' embeddings. No part of it is
    then at right angles to all labels, or common to all, and the best cosine says how far one label stands out.
    """

    mean: Tensor
    std: Tensor
    prompts: Tensor
    directions: Tensor

    def __init__(
        self, mean: Tensor, std: Tensor, prompts: Tensor, hidden: int, strength: float, threshold: float
    ) -> None:
        """`mean` and `std` [1280] of the features over the training images; `prompts` [100, dim], unit and
        linearly independent, of the labels."""
        super().__init__()
        classifier, shared, labels = imagenet_weights(), list(SHARED_CLASSES), len(prompts)
        self.learned = nn.Linear(len(mean), hidden - len(shared))
        self.out = nn.Linear(hidden - len(shared), labels)
        self.rows = nn.Linear(len(mean), len(shared)).requires_grad_(False)
        with torch.no_grad():
            self.rows.weight.copy_(_SHARPNESS * classifier["classifier.weight"][shared])
            self.rows.bias.copy_(_SHARPNESS * (classifier["classifier.bias"][shared] - threshold))
        self.strength = strength / _SHARPNESS
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.register_buffer("prompts", prompts)
        self.register_buffer("directions", torch.linalg.pinv(prompts) @ (torch.eye(labels) - 1 / labels))

    def take_over(self, first: nn.Linear, second: nn.Linear, features: Tensor) -> None:
        """Takes the learned part from a two-layer head whose output is an embedding, as `fit.py` gives it, scaled
        so that its scores, less their mean, have unit length on average over `features` [n, 1280]."""
        with torch.no_grad():
            self.learned.load_state_dict(first.state_dict())
            self.out.weight.copy_(self.prompts @ second.weight)
            self.out.bias.copy_(self.prompts @ second.bias)
            scores = self.out(functional.gelu(self.learned((features - self.mean) / self.std)))
            length = (scores - scores.mean(1, keepdim=True)).norm(dim=1).mean()
            self.out.weight.div_(length)
            self.out.bias.div_(length)

    def forward(self, features: Tensor) -> Tensor:
        """Cosines [n, 100] with the labels' embeddings."""
        hidden = functional.gelu(self.learned((features - self.mean) / self.std))
        embeddings = self.out(hidden) @ self.directions.T
        embeddings = embeddings + functional.gelu(self.rows(features)) @ self._evidence().T
        return functional.normalize(embeddings, dim=-1) @ self.prompts.T

    def _evidence(self) -> Tensor:
        return self.strength * self.directions[:, list(SHARED_LABELS)]

    def write_to(self, mlp: Any) -> None:
        """Puts the weights into `mlp`, timm's Mlp of the same width; the standardization goes into its first layer."""
        with torch.no_grad():
            weight = self.learned.weight / self.std
            mlp.fc1.weight.copy_(torch.cat([weight, self.rows.weight]))
            mlp.fc1.bias.copy_(torch.cat([self.learned.bias - weight @ self.mean, self.rows.bias]))
            mlp.fc2.weight.copy_(torch.cat([self.directions @ self.out.weight, self._evidence()], dim=1))
            mlp.fc2.bias.copy_(self.directions @ self.out.bias)


def label_prompts(clip: open_clip.CLIP, tokens: Tensor) -> Tensor:
    """Unit embeddings [100, dim] of the labels, each the mean over its prompts; `tokens` [templates, 100, context]."""
    with torch.no_grad():
        each = torch.stack([clip.encode_text(prompts, normalize=True) for prompts in tokens])
    return functional.normalize(each.mean(0), dim=-1)


def prompt_tokens(context_length: int) -> Tensor:
    """Tokens [templates, 100, context] of every template with every label."""
    tokenizer = open_clip.SimpleTokenizer(context_length=context_length)
    return torch.stack([tokenizer([template.format(label) for label in LABELS]) for template in TEMPLATES])
