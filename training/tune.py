"""The last stages of the trunk learn from CIFAR-100, and are held to what they knew of sharp pictures."""

import copy
import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from tqdm import tqdm

from training.features import FROZEN_STAGES, Features
from training.learning import keep, mixed_loss, resume
from training.model import imagenet_weights

EPOCHS = 9
BATCH = 64
SCENES = 6
"""Scenes beside each batch of images."""
TRUNK_RATE = 7e-4
"""Of each tensor's own size (root mean square): they differ by a factor of 40, and Adam's steps do not."""
HEAD_RATE = 2e-4
SCALE_RATE = 1e-3
WEIGHT_DECAY = 0.05
WARM_UP_STEPS = 200
DROPOUT = 0.3
CUTMIX_SHARE, MIXUP_SHARE = 0.25, 0.15
CROPS = {10: 0.4, 11: 0.4, 13: 0.2}
"""How often a part of so many rows and columns of a map is seen, not the whole of 13."""
AVERAGE_DECAY = 0.999

log = logging.getLogger(__name__)


class _Pointwise(nn.Module):
    """A 1x1 convolution with its batch normalization inside, on maps [n, side, side, channels]: a matrix product."""

    def __init__(self, convolution: nn.Conv2d, normalization: Any) -> None:
        super().__init__()
        fused = fuse_conv_bn_eval(convolution, normalization)
        self.weight = nn.Parameter(fused.weight.detach()[:, :, 0, 0].T.contiguous())
        self.bias = nn.Parameter(fused.bias.detach().clone())  # type: ignore[union-attr]

    def forward(self, maps: Tensor) -> Tensor:
        flat = torch.addmm(self.bias, maps.reshape(-1, maps.shape[-1]), self.weight)
        return flat.view(*maps.shape[:-1], -1)

    def write_to(self, convolution: nn.Conv2d, normalization: Any) -> None:
        _write(self.weight.T[:, :, None, None], self.bias, convolution, normalization)


class _Depthwise(nn.Module):
    def __init__(self, convolution: nn.Conv2d, normalization: Any) -> None:
        super().__init__()
        self.fused = fuse_conv_bn_eval(convolution, normalization)

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.fused(maps.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return result

    def write_to(self, convolution: nn.Conv2d, normalization: Any) -> None:
        _write(self.fused.weight, self.fused.bias, convolution, normalization)  # type: ignore[arg-type]


def _write(weight: Tensor, bias: Tensor, convolution: nn.Conv2d, normalization: Any) -> None:
    """The convolution takes the weight, and the normalization shrinks to adding the bias."""
    with torch.no_grad():
        convolution.weight.copy_(weight)
        normalization.running_mean.zero_()
        normalization.running_var.fill_(1 - normalization.eps)
        normalization.weight.fill_(1)
        normalization.bias.copy_(bias)


class _Block(nn.Module):
    def __init__(self, block: Any) -> None:
        super().__init__()
        self.widen = _Pointwise(block.conv_pw, block.bn1)
        self.depthwise = _Depthwise(block.conv_dw, block.bn2)
        self.narrow = _Pointwise(block.conv_pwl, block.bn3)
        self.skip = block.has_skip

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.narrow(functional.relu6(self.depthwise(functional.relu6(self.widen(maps)))))
        return maps + result if self.skip else result

    def write_to(self, block: Any) -> None:
        self.widen.write_to(block.conv_pw, block.bn1)
        self.depthwise.write_to(block.conv_dw, block.bn2)
        self.narrow.write_to(block.conv_pwl, block.bn3)


class LateStages(nn.Module):
    """What follows the frozen stages of a timm EfficientNet-Lite, its batch normalization folded into the weights:
    maps float32 [n, side, side, channels] to pooled features [n, 1280]."""

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[_Block(block) for stage in trunk.blocks[FROZEN_STAGES:] for block in stage])
        self.last = _Pointwise(trunk.conv_head, trunk.bn2)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu6(self.last(self.blocks(maps))).mean((1, 2))

    def write_to(self, trunk: Any) -> None:
        """Puts the weights into `trunk`, which then computes the same."""
        blocks = [block for stage in trunk.blocks[FROZEN_STAGES:] for block in stage]
        for own, block in zip(self.blocks, blocks, strict=True):
            own.write_to(block)  # type: ignore[operator]
        self.last.write_to(trunk.conv_head, trunk.bn2)


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
        hidden = functional.gelu(self.first((self.late(maps) - self.mean) / self.std))
        return functional.normalize(self.second(functional.dropout(hidden, DROPOUT, self.training)), dim=-1)


class _Batch(NamedTuple):
    maps: Tensor
    labels: Tensor
    others: Tensor
    """The labels of what was mixed in."""
    share: float
    """Of `labels` in what is seen, 0 to 1."""
    scenes: Tensor
    scene_features: Tensor


def tune(
    model: Tuned,
    prompts: Tensor,
    views: Sequence[Features],
    rows: NDArray[np.int64],
    labels: Tensor,
    scenes: Features,
    seed: int,
    checkpoint: Path,
    progress: bool,
) -> Tuned:
    """Trains `model` in place and returns the moving average of its weights, which is what counts.

    Args:
        prompts: the text tower's unit embeddings of every template with every label, [templates, 100, dim].
        views: what the frozen stages made of all images, once for each way of showing them.
        rows: the images to train on; `labels` [n] are those of all.
        scenes: sharp pictures without labels, on which the late stages are to give what they gave at the start:
            the same ImageNet classes (Kullback-Leibler divergence) and the same features.

    Goes on from `checkpoint`, written after every epoch; a step's draws depend on `seed` and its number alone.
    """
    weights = imagenet_weights()
    classifier, classifier_bias = weights["classifier.weight"], weights["classifier.bias"]
    average = copy.deepcopy(model).requires_grad_(False).eval()
    optimizer = _optimizer(model)
    rates = [group["lr"] for group in optimizer.param_groups]
    batch = min(BATCH, len(rows))
    per_epoch = len(rows) // batch
    steps = EPOCHS * per_epoch
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
                factor = min(1, (done + 1) / WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * done / steps))
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * factor
                template = torch.randint(len(prompts), (prompts.shape[1],))
                logits = model.scale.exp() * model(seen.maps) @ prompts[template, torch.arange(prompts.shape[1])].T
                loss = mixed_loss(logits, seen.labels, seen.others, seen.share)
                features = model.late(seen.scenes)
                classes, wanted = (
                    functional.log_softmax(x @ classifier.T + classifier_bias, 1)
                    for x in (features, seen.scene_features)
                )
                kept = functional.kl_div(classes, wanted, reduction="batchmean", log_target=True)
                kept = kept + 0.5 * ((features - seen.scene_features) / model.std).square().mean()
                optimizer.zero_grad()
                (loss + kept).backward()
                optimizer.step()
                decay = min(AVERAGE_DECAY, (1 + done) / (10 + done))
                with torch.no_grad():
                    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
                losses.append((loss.item(), kept.item()))
            log.info("tuning, epoch %d of %d, loss %.3f, of scenes %.3f", epoch + 1, EPOCHS, *np.mean(losses, axis=0))
            keep(checkpoint, state, epoch + 1)
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


def _draw(
    rows: NDArray[np.int64], rng: np.random.Generator, views: Sequence[Features], labels: Tensor, scenes: Features
) -> _Batch:
    """Maps of any view, mirrored half of the time, mixed in pairs (CutMix, Yun et al., 2019; mixup, Zhang et al.,
    2018) for a part of the batches, and cropped."""
    maps = np.stack([views[int(rng.integers(len(views)))].maps[row] for row in rows]).astype(np.float32)
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
    sharp = np.sort(rng.integers(len(scenes.pooled), size=SCENES))
    return _Batch(
        torch.from_numpy(seen),
        labels[rows],
        labels[rows[other]],
        float(share),
        torch.from_numpy(scenes.maps[sharp].astype(np.float32)),
        torch.from_numpy(scenes.pooled[sharp]),
    )
