"""The labels' own units learn from the training images as they are and as sharp as photographs."""

import copy
import logging
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from training.head import OwnUnits
from training.learning import mixed_loss

RATE = 3e-4
WEIGHT_DECAY = 0.02
WARM_UP = 0.1
NOISE = 0.3
DROPOUT = 0.3
MIXUP = 0.3

log = logging.getLogger(__name__)


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


def learn_units(units: OwnUnits, views: Sequence[View], steps: int, seed: int, progress: bool) -> None:
    """Trains `units` in place on a part of each view at every step."""
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


def averaged_units(before: OwnUnits, after: OwnUnits, share: float) -> OwnUnits:
    """Units whose weights lie between two others', `share` of those `after` (see `late.averaged`)."""
    result, old, new = copy.deepcopy(after), before.state_dict(), after.state_dict()
    result.load_state_dict({name: torch.lerp(old[name], new[name], share) for name in new})
    return result


def _loss(units: OwnUnits, view: View) -> Tensor:
    """[], on features mixed in pairs, and their labels in the same proportion (mixup; Zhang et al., 2018)."""
    chosen = torch.randint(len(view.labels), (view.batch,))
    other = chosen[torch.randperm(view.batch)]
    share = float(torch.distributions.Beta(MIXUP, MIXUP).sample())
    images = share * view.features[chosen] + (1 - share) * view.features[other]
    images = images + NOISE * units.std * torch.randn_like(images)
    logits = units.out(functional.dropout(units.activations(images), DROPOUT))
    return mixed_loss(logits, view.labels[chosen], view.labels[other], share)


def _mean_of_half(losses: Sequence[float]) -> float:
    half = losses[len(losses) // 2 :]
    return sum(half) / len(half)
