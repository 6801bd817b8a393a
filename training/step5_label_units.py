"""Step 5: the labels' own units, a head that gives a logit for each of the 100 labels, learn from the training images
as they are and as sharp as photographs."""

import copy
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from backend.clip.export.cifar100 import LABELS
from training.data import LabeledImages
from training.mixing import mixed_features, mixed_loss
from training.model import CONFIG, IMAGE_SIZE
from training.step1_maps import compile_trunk, extract
from training.step4_average import averaged
from training.views import Pixels, mosaic, sharpened

HIDDEN = 2 * CONFIG["model_cfg"]["embed_dim"]
"""As open_clip builds an MLP head."""
UNIT_SCALE = 14.0
SHARPENED, MOSAICS = 12_000, 6_000
PLAIN_STEPS, ALL_STEPS = 125, 400
RATE = 3e-4
WEIGHT_DECAY = 0.02
WARM_UP = 0.1
NOISE = 0.3
DROPOUT = 0.3
MIXUP = 0.3

log = logging.getLogger(__name__)


class LabelUnits(nn.Module):
    """Pooled features [n, 1280] to a logit for each label [n, 100], by an MLP."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        first: nn.Linear,
        second: nn.Linear,
        mean: Tensor,
        std: Tensor,
        prompts: Tensor,
        scale: float = UNIT_SCALE,
        width: int = HIDDEN,
    ) -> None:
        """Begins as a two-layer head that was tuned to give embeddings, compared with the labels'.

        Args:
            first, second: of that head, on standardized features (``mean``, ``std`` [1280]).
            prompts: [100, dim], the labels' unit embeddings.
            scale: the factor of the logits.
            width: hidden units, those of ``first`` and new ones that do not count yet.
        """
        super().__init__()
        self.hidden, self.out = nn.Linear(len(mean), width), nn.Linear(width, len(prompts))
        with torch.no_grad():
            self.hidden.weight[: len(first.weight)] = first.weight
            self.hidden.bias[: len(first.weight)] = first.bias
            self.out.weight.zero_()
            self.out.weight[:, : len(first.weight)] = scale * prompts @ second.weight
            self.out.bias.copy_(scale * prompts @ second.bias)
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def activations(self, features: Tensor) -> Tensor:
        """Of the hidden units, [n, width]."""
        return functional.gelu(self.hidden((features - self.mean) / self.std))

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.out(self.activations(features))
        return logits


class View(NamedTuple):
    """One way of showing the training images."""

    features: Tensor
    """[n, 1280], pooled."""
    labels: Tensor
    """[n]"""
    batch: int
    """How many of them a step sees ..."""
    weight: float
    """... and what they count in the loss."""


def sharp_views(
    trunk: Any, data: LabeledImages, rows: NDArray[np.int64], work: Path, seed: int, progress: bool
) -> list[View]:
    """Training images with sharp edges, and mosaics of images of one label, as the whole trunk sees them."""
    compiled = compile_trunk(trunk)
    images, labels = data.images, torch.from_numpy(data.labels)
    chosen = np.random.default_rng((seed, 5)).permutation(rows)
    alone, together = chosen[:SHARPENED], chosen[-MOSAICS:]
    alike = [rows[data.labels[rows] == label] for label in range(len(LABELS))]

    def of_many(number: int) -> Pixels:
        return mosaic(images[alike[data.labels[together[number]]]], IMAGE_SIZE, (seed, 7, number))

    def of(name: str, picture: Callable[[int], Pixels], shown: NDArray[np.int64], batch: int) -> View:
        features = extract(compiled, picture, len(shown), work / name, progress)
        return View(torch.from_numpy(features.astype(np.float32)), labels[shown], batch, 0.3)

    return [
        of("sharpened", lambda number: sharpened(images[alone[number]], IMAGE_SIZE, (seed, 6, number)), alone, 96),
        of("mosaics", of_many, together, 48),
    ]


def train_label_units(
    units: LabelUnits, features: Tensor, labels: Tensor, sharp: Sequence[View], seed: int, progress: bool
) -> LabelUnits:
    """Train ``units`` in place, first on the images as they are, then on all views.

    Args:
        features: of the images as they are, [n, 1280], pooled; ``labels`` [n].
        sharp: the other views.

    Returns:
        Their average with the units before this (step 4).
    """
    before = copy.deepcopy(units)
    train_units(units, [View(features, labels, 256, 1.0)], PLAIN_STEPS, seed, progress)
    train_units(units, [View(features, labels, 128, 1.0), *sharp], ALL_STEPS, seed, progress)
    return averaged(before, units).eval()


def train_units(units: LabelUnits, views: Sequence[View], steps: int, seed: int, progress: bool) -> None:
    """Trains ``units`` in place on a part of each view at every step."""
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(units.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=WARM_UP)
    units.train()
    losses = []
    for _ in tqdm(range(steps), desc="own units", disable=not progress):
        loss = torch.stack([view.weight * _loss(units, view) for view in views]).sum()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    units.eval()
    log.info("own units, %d steps on %d views, loss of the last half %.3f", steps, len(views), _mean_of_half(losses))


def _loss(units: LabelUnits, view: View) -> Tensor:
    chosen = torch.randint(len(view.labels), (view.batch,))
    images, other, share = mixed_features(view.features, chosen, MIXUP)
    images = images + NOISE * units.std * torch.randn_like(images)
    logits = units.out(functional.dropout(units.activations(images), DROPOUT))
    return mixed_loss(logits, view.labels[chosen], view.labels[other], share)


def _mean_of_half(losses: Sequence[float]) -> float:
    half = losses[len(losses) // 2 :]
    return sum(half) / len(half)
