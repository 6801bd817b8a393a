"""Step 3: the last stages of the trunk learn from CIFAR-100, and are kept near to what they knew of sharp pictures."""

import copy
import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.late_stages import LateStages
from training.mixing import mixed_loss
from training.model import imagenet_weights
from training.resuming import keep, resume
from training.step1_maps import Maps

EPOCHS = 6
BATCH = 64
SCENES = 4
"""Scenes beside each batch of images."""
TRUNK_RATE = 1.5e-3
"""Of each tensor's own size (root mean square): they differ by a factor of 40, and Adam's steps do not."""
HEAD_RATE = 3e-4
SCALE_RATE = 1e-3
WEIGHT_DECAY = 0.05
WARM_UP_STEPS = 200
DROPOUT = 0.3
CUTMIX_SHARE, MIXUP_SHARE = 0.25, 0.15
CROPS = {16: 0.3, 18: 0.3, 20: 0.2, 22: 0.1, 26: 0.1}
"""How often a part of so many rows and columns of a map is seen, not the whole of 26."""
AVERAGE_DECAY = 0.999

log = logging.getLogger(__name__)


class Tuned(nn.Module):
    """The late stages and a two-layer head on standardized features, which ends in unit embeddings [n, dim]."""

    mean: Tensor
    std: Tensor

    def __init__(self, trunk: Any, first: nn.Linear, second: nn.Linear, mean: Tensor, std: Tensor, scale: Tensor):
        super().__init__()
        self.late = LateStages(trunk)
        self.first, self.second = copy.deepcopy(first), copy.deepcopy(second)
        self.scale = nn.Parameter(scale.detach().clone())
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, maps: Tensor) -> Tensor:
        return self.embed(self.late(maps))

    def embed(self, features: Tensor) -> Tensor:
        hidden = functional.gelu(self.first((features - self.mean) / self.std))
        return functional.normalize(self.second(functional.dropout(hidden, DROPOUT, self.training)), dim=-1)


class Scenes(NamedTuple):
    """Their maps [n, side, side, channels], and the original trunk's features of them [n, 1280]."""

    maps: Maps
    features: Tensor


class _Batch(NamedTuple):
    maps: Tensor
    labels: Tensor
    others: Tensor
    """The labels of what was mixed in."""
    share: float
    """Of ``labels`` in what is seen, 0 to 1."""
    scenes: Tensor
    scene_features: Tensor


def tune_trunk(
    model: Tuned,
    prompts: Tensor,
    views: Sequence[Maps],
    rows: NDArray[np.int64],
    labels: Tensor,
    scenes: Scenes,
    seed: int,
    checkpoint: Path,
    progress: bool,
    accuracy: Callable[["Tuned"], float],
) -> Tuned:
    """Train ``model`` in place and return the moving average of its weights, which is the result.

    Args:
        prompts: the text tower's unit embeddings of every template with every label, [templates, 100, dim].
        views: what the frozen stages made of all images, once for each way of showing them.
        rows: the images to train on; ``labels`` [n] are those of all.
        scenes: sharp pictures without labels, on which the late stages are to give what they gave at the start:
            the same ImageNet classes (Kullback-Leibler divergence) and the same features.
        accuracy: of the average on images that are not trained on, for the log after every epoch.

    Goes on from ``checkpoint``, written after every epoch; a step's draws depend on ``seed`` and its number alone.
    """
    average = copy.deepcopy(model).requires_grad_(False).eval()
    optimizer = _optimizer(model)
    rates = [group["lr"] for group in optimizer.param_groups]
    batch = min(BATCH, len(rows))
    per_epoch = len(rows) // batch
    state: dict[str, Any] = {"model": model, "average": average, "optimizer": optimizer}
    if start := resume(checkpoint, state):
        log.info("tuning goes on after epoch %d of %d", start, EPOCHS)
    model.train()
    with ThreadPoolExecutor(1) as ahead:
        for epoch in range(start, EPOCHS):
            order = np.random.default_rng((seed, 1, epoch)).permutation(rows)

            def drawn(step: int, epoch: int = epoch, order: NDArray[np.int64] = order) -> _Batch:
                rng = np.random.default_rng((seed, 2, epoch * per_epoch + step))
                return _draw(order[step * batch : (step + 1) * batch], rng, views, labels, scenes)

            upcoming = ahead.submit(drawn, 0)
            losses = []
            for step in tqdm(range(per_epoch), desc=f"tuning, epoch {epoch + 1} of {EPOCHS}", disable=not progress):
                seen = upcoming.result()
                if step + 1 < per_epoch:
                    upcoming = ahead.submit(drawn, step + 1)
                done = epoch * per_epoch + step
                torch.manual_seed(1_000_003 * (seed + 1) + done)
                _set_rates(optimizer, rates, done, EPOCHS * per_epoch)
                of_labels, of_scenes = _loss_of_labels(model, seen, prompts), _loss_of_scenes(model, seen)
                optimizer.zero_grad()
                torch.autograd.backward(of_labels + of_scenes)
                optimizer.step()
                _follow(average, model, done)
                losses.append((of_labels.item(), of_scenes.item()))
            keep(checkpoint, state, epoch + 1)
            log.info(
                "tuning, epoch %d of %d, loss %.3f, of scenes %.3f, held-out top-1 %.4f",
                epoch + 1,
                EPOCHS,
                *np.mean(losses, axis=0),
                accuracy(average),
            )
    return average


def _optimizer(model: Tuned) -> torch.optim.AdamW:
    groups: list[dict[str, Any]] = []
    for parameter in model.late.parameters():
        matrix = parameter.ndim > 1
        size = max(float(parameter.detach().square().mean().sqrt()), 0.01 if matrix else 0.05)
        groups.append({"params": [parameter], "lr": TRUNK_RATE * size, "weight_decay": WEIGHT_DECAY if matrix else 0.0})
    head = [*model.first.parameters(), *model.second.parameters()]
    groups.append({"params": head, "lr": HEAD_RATE, "weight_decay": WEIGHT_DECAY})
    groups.append({"params": [model.scale], "lr": SCALE_RATE, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def _set_rates(optimizer: torch.optim.Optimizer, rates: Sequence[float], step: int, steps: int) -> None:
    """``rates``, warmed up and then along half a cosine to 0."""
    factor = min(1, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate * factor


def _loss_of_labels(model: Tuned, seen: _Batch, prompts: Tensor) -> Tensor:
    """[], against a prompt of each label, of a template drawn anew for each."""
    template = torch.randint(len(prompts), (prompts.shape[1],))
    logits = model.scale.exp() * model(seen.maps) @ prompts[template, torch.arange(prompts.shape[1])].T
    return mixed_loss(logits, seen.labels, seen.others, seen.share)


def _loss_of_scenes(model: Tuned, seen: _Batch) -> Tensor:
    """[], how far the ImageNet classes of the scenes, and their features, are from what they were."""
    weights = imagenet_weights()
    features = model.late(seen.scenes)
    classes, wanted = (
        functional.log_softmax(x @ weights["classifier.weight"].T + weights["classifier.bias"], 1)
        for x in (features, seen.scene_features)
    )
    of_classes = functional.kl_div(classes, wanted, reduction="batchmean", log_target=True)
    kept: Tensor = of_classes + 0.5 * ((features - seen.scene_features) / model.std).square().mean()
    return kept


@torch.no_grad()
def _follow(average: Tuned, model: Tuned, step: int) -> None:
    decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)


def _draw(
    rows: NDArray[np.int64], rng: np.random.Generator, views: Sequence[Maps], labels: Tensor, scenes: Scenes
) -> _Batch:
    """Maps of any view, mirrored half of the time, mixed in pairs (CutMix, Yun et al., 2019; mixup, Zhang et al.,
    2018) for a part of the batches, and cropped."""
    maps = np.stack([views[int(rng.integers(len(views)))][row] for row in rows]).astype(np.float32)
    mirrored = rng.random(len(rows)) < 0.5
    maps[mirrored] = maps[mirrored, :, ::-1]
    side, share, other, kind = maps.shape[1], 1.0, rng.permutation(len(rows)), rng.random()
    if kind < CUTMIX_SHARE:
        half = np.sqrt(rng.random()) * side / 2
        center = rng.uniform(0, side, size=2)
        (top, left), (bottom, right) = (np.rint(np.clip(center + sign * half, 0, side)).astype(int) for sign in (-1, 1))
        maps[:, top:bottom, left:right] = maps[other, top:bottom, left:right]
        share = 1 - (bottom - top) * (right - left) / side**2
    elif kind < CUTMIX_SHARE + MIXUP_SHARE:
        share = rng.beta(0.3, 0.3)
        maps = np.float32(share) * maps + np.float32(1 - share) * maps[other]
    size = rng.choice(list(CROPS), p=list(CROPS.values()))
    top, left = rng.integers(0, side - size + 1, size=2)
    seen = np.ascontiguousarray(maps[:, top : top + size, left : left + size])
    sharp = np.sort(rng.integers(len(scenes.maps), size=SCENES))
    return _Batch(
        torch.from_numpy(seen),
        labels[rows],
        labels[rows[other]],
        float(share),
        torch.from_numpy(scenes.maps[sharp].astype(np.float32)),
        scenes.features[sharp],
    )
