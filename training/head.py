"""The head of the image tower, in the form that training works on, and the labels' embeddings that it aims at."""

from typing import Any, NamedTuple

import open_clip
import torch
from sklearn.cluster import AgglomerativeClustering  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.nn import functional

from backend.clip.labels import LABELS, TEMPLATES
from training.imagenet import SHARED_CLASSES, SHARED_LABELS
from training.model import imagenet_weights

_SHARPNESS = 4.0


class Gate(NamedTuple):
    """A linear function of the features, about 1 for sharp pictures and -1 for small ones that were enlarged."""

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        return features @ self.weight + self.bias


def fit_gate(small: Tensor, sharp: Tensor, ridge: float) -> Gate:
    """The gate by ridge regression on features `small` and `sharp`, [n, 1280] each; both weigh the same."""
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


class Evidence(NamedTuple):
    """What ImageNet's classifier adds on sharp pictures, by how far its logits exceed a threshold.

    `share` of what a class that one of the labels names exceeds `threshold` by goes to the score of that label. The
    other classes are gathered in `groups`; `other_share` of what a group's mean logit exceeds `other_threshold` by
    goes to the direction that is at right angles to every label. The gate lowers every logit by 0 for a sharp picture
    and by twice `pull` for a small one.
    """

    threshold: float
    share: float
    groups: int
    other_threshold: float
    other_share: float
    pull: float


class Head(nn.Module):
    """Pooled features [n, 1280] to a score for each label, and on to the cosine of image and label.

    A learned MLP gives the scores, and what the ImageNet classifier has to say of sharp pictures is added. To
    open_clip it is all one MLP, since ImageNet's rows are hidden units like the learned ones; the maximum of 0 and a
    logit is a GELU whose input is multiplied by `_SHARPNESS` and its output divided by it.

    The scores, less their mean, become an embedding by the pseudo-inverse of the labels' embeddings. No part of it is
    then common to all labels, and only what ImageNet knows and the labels do not is at right angles to them: the best
    cosine says how far one label stands out.
    """

    mean: Tensor
    std: Tensor
    prompts: Tensor
    directions: Tensor
    evidence: Tensor

    def __init__(self, mean: Tensor, std: Tensor, prompts: Tensor, width: int, gate: Gate, evidence: Evidence) -> None:
        """`mean` and `std` [1280] of the features over the training images; `prompts` [100, dim], unit and linearly
        independent, of the labels, fewer than dim; `width` of the learned part."""
        super().__init__()
        labels = len(prompts)
        rows, biases = _rows(evidence)
        self.learned = nn.Linear(len(mean), width)
        self.out = nn.Linear(width, labels)
        self.rows = nn.Linear(len(mean), len(rows)).requires_grad_(False)
        with torch.no_grad():
            self.rows.weight.copy_(_SHARPNESS * (rows + evidence.pull * gate.weight))
            self.rows.bias.copy_(_SHARPNESS * (biases + evidence.pull * (gate.bias - 1)))
        directions = torch.linalg.pinv(prompts) @ (torch.eye(labels) - 1 / labels)
        elsewhere = torch.linalg.svd(prompts).Vh[-1]
        columns = evidence.other_share * elsewhere[:, None].repeat(1, len(rows))
        columns[:, : len(SHARED_LABELS)] = evidence.share * directions[:, list(SHARED_LABELS)]
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.register_buffer("prompts", prompts)
        self.register_buffer("directions", directions)
        self.register_buffer("evidence", columns / _SHARPNESS)

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
        embeddings = self.out(hidden) @ self.directions.T + functional.gelu(self.rows(features)) @ self.evidence.T
        return functional.normalize(embeddings, dim=-1) @ self.prompts.T

    def write_to(self, mlp: Any) -> None:
        """Puts the weights into `mlp`, timm's Mlp of the same width; the standardization goes into its first layer."""
        with torch.no_grad():
            weight = self.learned.weight / self.std
            mlp.fc1.weight.copy_(torch.cat([weight, self.rows.weight]))
            mlp.fc1.bias.copy_(torch.cat([self.learned.bias - weight @ self.mean, self.rows.bias]))
            mlp.fc2.weight.copy_(torch.cat([self.directions @ self.out.weight, self.evidence], dim=1))
            mlp.fc2.bias.copy_(self.directions @ self.out.bias)


def _rows(evidence: Evidence) -> tuple[Tensor, Tensor]:
    """Rows of the ImageNet classifier [units, 1280] and their biases less the threshold [units]: first the shared
    classes, then the means of the groups of the others, whose rows point the same way (average linkage)."""
    weights = imagenet_weights()
    weight, bias = weights["classifier.weight"], weights["classifier.bias"]
    shared = list(SHARED_CLASSES)
    others = [position for position in range(len(bias)) if position not in SHARED_CLASSES]
    centered = functional.normalize(weight[others] - weight.mean(0), dim=1).numpy()
    clustering = AgglomerativeClustering(evidence.groups, metric="cosine", linkage="average")
    groups = torch.from_numpy(clustering.fit_predict(centered))
    means = torch.zeros(evidence.groups, len(others)).index_put_((groups, torch.arange(len(others))), torch.ones(()))
    means = means / means.sum(1, keepdim=True)
    rows = torch.cat([weight[shared], means @ weight[others]])
    biases = torch.cat([bias[shared] - evidence.threshold, means @ bias[others] - evidence.other_threshold])
    return rows, biases


def label_prompts(clip: open_clip.CLIP, tokens: Tensor) -> Tensor:
    """Unit embeddings [templates, 100, dim] of the labels' prompts; `tokens` [templates, 100, context]."""
    with torch.no_grad():
        return torch.stack([clip.encode_text(prompts, normalize=True) for prompts in tokens])


def prompt_tokens(context_length: int) -> Tensor:
    """Tokens [templates, 100, context] of every template with every label."""
    tokenizer = open_clip.SimpleTokenizer(context_length=context_length)
    return torch.stack([tokenizer([template.format(label) for label in LABELS]) for template in TEMPLATES])
