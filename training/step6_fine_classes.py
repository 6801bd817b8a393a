"""Step 6: own units and ImageNet's classifier become the fine classes, in the form in which a checkpoint keeps them."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.words import IMAGENET_CLASSES, read_words
from training.model import imagenet_weights
from training.step5_label_units import LabelUnits

# What is added to the units' logits before they share a softmax with ImageNet's classes: in sharp pictures, for labels
# that ImageNet has no class for as well, and in small pictures, of which its classifier knows nothing.
SHARP_OFFSET, UNKNOWN_OFFSET, SMALL_OFFSET = 0.8, 1.5, 6.3
# A picture is sharp where the gate is at least `GATE_AT`, and small from 1 / `GATE_SLOPE` below it.
GATE_AT, GATE_SLOPE = -0.2, 4.0
EMBEDDED = 14.0
"""What a logit is divided by in the embedding; it makes no difference but to float16."""
_SHARED = {"porcupine"}
"""ImageNet knows them, by a class that the everyday words give to something else: "porcupine, hedgehog"."""
GATE_IMAGES = 15_000
GATE_RIDGE = 100.0
SCALES = np.arange(4.0, 60.0, 0.25)


class Gate(NamedTuple):
    """A linear function of the features, about 1 for sharp pictures and -1 for small ones that were enlarged."""

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        return features @ self.weight + self.bias


def fit_gate(small: Tensor, sharp: Tensor, ridge: float = GATE_RIDGE) -> Gate:
    """The gate by ridge regression on features ``small`` and ``sharp``, [n, 1280] each; both weigh the same."""
    both = torch.cat([small, sharp]).double()
    mean, std = both.mean(0), both.std(0) + 1e-3
    inputs = functional.pad((both - mean) / std, (0, 1), value=1.0)
    count = len(both)
    weights = torch.cat([torch.full((len(part),), count / 2 / len(part)) for part in (small, sharp)]).double()
    target = torch.cat([-torch.ones(len(small)), torch.ones(len(sharp))]).double()
    normal = inputs.T @ (weights[:, None] * inputs) + ridge * torch.eye(inputs.shape[1])
    solved = torch.linalg.solve(normal, inputs.T @ (weights * target))
    weight = solved[:-1] / std
    return Gate(weight.float(), (solved[-1] - weight @ mean).float())


def write_head(units: LabelUnits, prompts: Tensor, gate: Gate, mlp: Any) -> dict[str, Tensor]:
    """Puts the units into ``mlp``, timm's Mlp of the same width, and returns the tensors of the fine classes, which are
    ImageNet's by its own classifier and the units.

    The logits, less their mean, become an embedding by the pseudo-inverse of the labels' embeddings (``prompts``
    [100, dim], linearly independent, fewer than dim), so that its cosine with a label says how far that one stands out;
    their mean goes into a direction at right angles to every label. From the embedding before it gets unit length a
    linear layer can then read the logits again.
    """
    count = len(prompts)
    directions = torch.linalg.pinv(prompts) @ (torch.eye(count) - 1 / count)
    elsewhere = torch.linalg.svd(prompts).Vh[-1]
    to_embedding = (directions + elsewhere[:, None] / count) / EMBEDDED
    to_logits = EMBEDDED * (prompts + elsewhere)
    weights = imagenet_weights()
    with torch.no_grad():
        weight = units.hidden.weight / units.std
        mlp.fc1.weight.copy_(weight)
        mlp.fc1.bias.copy_(units.hidden.bias - weight @ units.mean)
        mlp.fc2.weight.copy_(to_embedding @ units.out.weight)
        mlp.fc2.bias.copy_(to_embedding @ units.out.bias)
    return {
        "features.weight": weights["classifier.weight"],
        "features.bias": weights["classifier.bias"],
        "sharp.weight": to_logits,
        "sharp.bias": sharp_offsets(),
        "small.weight": to_logits,
        "small.bias": torch.full((count,), SMALL_OFFSET),
        "gate.weight": -GATE_SLOPE * gate.weight[None],
        "gate.bias": -GATE_SLOPE * (gate.bias[None] - GATE_AT),
    }


def sharp_offsets() -> Tensor:
    """[100], of the units in sharp pictures, before ``offsets.py`` fits them on photographs."""
    words = read_words()
    known = [label in _SHARED or min(words.classes(words.index(label))) < IMAGENET_CLASSES for label in LABELS]
    return SHARP_OFFSET + UNKNOWN_OFFSET * (1 - torch.tensor(known, dtype=torch.float32))


def calibrated_scale(cosines: Tensor, labels: Tensor) -> float:
    """The one of ``SCALES`` with the least negative log-likelihood of ``labels`` [n] given ``cosines`` [n, 100]."""
    losses = [float(functional.cross_entropy(cosines * scale, labels)) for scale in SCALES]
    return float(SCALES[int(np.argmin(losses))])
