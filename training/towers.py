"""The parts of the image tower that training changes, in a form that trains fast, and their way back into the CLIP.

The trunk's early stages stay as ImageNet made them: they keep the sharp low-level filters that 32-pixel images cannot
teach. They end at stride 16 with maps [n, 120, 13, 13]; what follows, 31 of 100 operations, is `LateTrunk`, and after
it comes `Head`.
"""

import copy
from typing import Any

import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from backend.clip.labels import LABELS, TEMPLATES
from training.imagenet import SHARED_CLASSES, SHARED_LABELS
from training.model import imagenet_weights

FIRST_LATE_STAGE = 5
_SHARPNESS = 4.0
_PAIRS = (("conv_pw", "bn1"), ("conv_dw", "bn2"), ("conv_pwl", "bn3"))


class EarlyTrunk(nn.Module):
    """Pixels uint8 [n, size, size, 3] to maps float [n, 13, 13, 120]: what never changes, run once per image."""

    def __init__(self, trunk: Any, mean: float, std: float) -> None:
        super().__init__()
        self.stem = nn.Sequential(trunk.conv_stem, trunk.bn1, *trunk.blocks[:FIRST_LATE_STAGE])
        self.mean, self.std = mean, std

    def forward(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self.stem((pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std)
        return maps.permute(0, 2, 3, 1)


class LateTrunk(nn.Module):
    """Maps [n, 120, 13, 13] to pooled features [n, 1280], with each batch norm folded into the convolution before it.

    Folding freezes the batch norms' statistics, which upsampled images would spoil for photographs.
    """

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.stages = copy.deepcopy(trunk.blocks[FIRST_LATE_STAGE:]).eval()
        for block in self.stages.modules():
            for conv, norm in _PAIRS:
                if hasattr(block, conv):
                    setattr(block, conv, fuse_conv_bn_eval(getattr(block, conv), getattr(block, norm)))
                    setattr(block, norm, getattr(block, norm).act)
        self.conv = fuse_conv_bn_eval(copy.deepcopy(trunk.conv_head), copy.deepcopy(trunk.bn2).eval())
        self.requires_grad_(True)  # the biases are new, and fused without a gradient

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu6(self.conv(self.stages(maps))).mean((2, 3))

    def write_to(self, trunk: Any) -> None:
        """Puts the weights into `trunk`, whose batch norms then only add a bias."""
        _unfold(self.conv, trunk.conv_head, trunk.bn2)
        late = trunk.blocks[FIRST_LATE_STAGE:]
        for name, block in self.stages.named_modules():
            for conv, norm in _PAIRS:
                if hasattr(block, conv):
                    target = late.get_submodule(name)
                    _unfold(getattr(block, conv), getattr(target, conv), getattr(target, norm))


def _unfold(folded: Any, conv: Any, norm: Any) -> None:
    with torch.no_grad():
        conv.weight.copy_(folded.weight)
        norm.weight.fill_(1)
        norm.bias.copy_(folded.bias)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)


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

    def start_from(self, first: nn.Linear, second: nn.Linear) -> None:
        """Takes over a two-layer head whose output is an embedding, as `fit.py` gives it."""
        with torch.no_grad():
            self.learned.load_state_dict(first.state_dict())
            self.out.weight.copy_(self.prompts @ second.weight)
            self.out.bias.copy_(self.prompts @ second.bias)

    def forward(self, features: Tensor, dropout: float = 0.0) -> Tensor:
        """Cosines [n, 100] with the labels' embeddings."""
        standardized = (features - self.mean) / self.std
        hidden = functional.dropout(functional.gelu(self.learned(standardized)), dropout, self.training)
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
