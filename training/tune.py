"""Second step of training: the late stages of the trunk together with the head, over cached maps of the frozen early
stages.

Fine-tuning on upsampled 32-pixel images forgets what photographs look like. Four things hold that back: the early
stages and all batch-norm statistics stay; ImageNet's classifier rows speak in the head from the start, so that the
rest learns around them; on mosaics, which are sharp, the tuned trunk is held to the original's features and ImageNet
answers; and the result is an exponential moving average, interpolated with the original weights (WiSE-FT, Wortsman et
al. 2022).
"""

import copy
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from training.model import imagenet_weights
from training.towers import Head, LateTrunk

EPOCHS = 2.5
BATCH = 64
TRUNK_RATE = 5e-4
HEAD_RATE = 4e-4
WARM_UP = 0.1
DROPOUT = 0.3
LABEL_SMOOTHING = 0.1
CUTMIX_SHARE = 0.25
CROP_SHARE, CROP = 0.75, 11
DISTILL_EVERY, DISTILL_WEIGHT = 6, 3.0
AVERAGE = 0.998
CHECKPOINT_EVERY = 100

Maps = NDArray[np.float16]

log = logging.getLogger(__name__)


class Tuner:
    """The state of a tuning run: what is trained, its moving average, the optimizer and the step."""

    def __init__(self, late: LateTrunk, head: Head, scale: float, steps: int) -> None:
        self.original = copy.deepcopy(late).requires_grad_(False)
        self.late = late.to(memory_format=torch.channels_last)
        self.head, self.scale = head, nn.Parameter(torch.tensor(math.log(scale)))
        self.average = copy.deepcopy(self._trained()).requires_grad_(False)
        self.steps, self.step = steps, 0
        matrices = [p for p in late.parameters() if p.ndim > 1]
        vectors = [p for p in late.parameters() if p.ndim == 1]
        of_head = [p for p in head.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "lr": TRUNK_RATE, "weight_decay": 0.02},
                {"params": vectors, "lr": TRUNK_RATE, "weight_decay": 0.0},
                {"params": of_head, "lr": HEAD_RATE, "weight_decay": 0.02},
                {"params": [self.scale], "lr": 1e-3, "weight_decay": 0.0},
            ]
        )
        rates = [group["lr"] for group in self.optimizer.param_groups]
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, rates, steps, pct_start=WARM_UP, final_div_factor=100
        )

    def _trained(self) -> nn.ModuleList:
        return nn.ModuleList([self.late, self.head])

    def state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "trained": self._trained().state_dict(),
            "scale": self.scale.detach(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self._trained().load_state_dict(state["trained"])
        self.scale.data.copy_(state["scale"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])

    def update(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        with torch.no_grad():
            keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_(list(self.average.parameters()), list(self._trained().parameters()), 1 - keep)


def tune(
    tuner: Tuner,
    maps: Maps,
    labels: Tensor,
    rows: NDArray[np.int64],
    mosaics: Maps,
    seed: int,
    checkpoint: Path,
    progress: bool,
) -> tuple[LateTrunk, Head]:
    """Runs `tuner` to its last step, from `checkpoint` where there is one, and returns the averaged trunk and head.

    `maps` [images, 13, 13, 120] and `labels` [images]; only `rows` of them are trained on. `mosaics` [m, 13, 13, 120].
    Every step draws from generators seeded by `seed` and the step, so a resumed run does what an uninterrupted one
    does.
    """
    if checkpoint.exists():
        tuner.load(torch.load(checkpoint, weights_only=True))
        log.info("tuning: goes on at step %d of %d", tuner.step, tuner.steps)
    batch = min(BATCH, len(rows))
    per_epoch = len(rows) // batch
    tuner.head.train()
    with tqdm(total=tuner.steps, initial=tuner.step, desc="tuning", disable=not progress) as bar:
        while tuner.step < tuner.steps:
            epoch, position = divmod(tuner.step, per_epoch)
            order = np.random.default_rng((seed, epoch)).permutation(rows)
            chosen = np.sort(order[position * batch : (position + 1) * batch])
            loss = _loss(tuner, tensor(maps[chosen]), labels[torch.from_numpy(chosen)], mosaics, seed)
            tuner.update(loss)
            bar.update()
            if tuner.step % CHECKPOINT_EVERY == 0 or tuner.step == tuner.steps:
                log.info("tuning: step %d of %d, loss %.3f", tuner.step, tuner.steps, loss.item())
                save_whole(tuner.state(), checkpoint)
    late, head = tuner.average
    if not (isinstance(late, LateTrunk) and isinstance(head, Head)):
        raise TypeError("the average is not of a trunk and a head")
    return late.eval(), head.eval()


def _loss(tuner: Tuner, maps: Tensor, labels: Tensor, mosaics: Maps, seed: int) -> Tensor:
    torch.manual_seed(seed * 1_000_003 + tuner.step)
    rng = np.random.default_rng((seed, 1, tuner.step))
    mirrored = torch.from_numpy(rng.random(len(maps)) < 0.5)
    maps = torch.where(mirrored[:, None, None, None], maps.flip(3), maps)
    other, share = labels, 0.0
    if rng.random() < CUTMIX_SHARE:
        maps, partner, share = _cutmix(maps, rng)
        other = labels[partner]
    if rng.random() < CROP_SHARE:
        top, left = rng.integers(0, maps.shape[2] - CROP + 1, size=2)
        maps = maps[:, :, top : top + CROP, left : left + CROP]
    features = tuner.late(maps.contiguous(memory_format=torch.channels_last))
    logits = tuner.scale.exp() * tuner.head(features, DROPOUT)
    loss = (1 - share) * functional.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)
    loss = loss + share * functional.cross_entropy(logits, other, label_smoothing=LABEL_SMOOTHING)
    if tuner.step % DISTILL_EVERY == 0:
        chosen = np.sort(rng.integers(len(mosaics), size=len(maps) // 2))
        loss = loss + DISTILL_WEIGHT * _forgetting(tuner, tensor(mosaics[chosen]))
    return loss


def _cutmix(maps: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, float]:
    """Maps with a rectangle of another image each, whose it is, and the share of its area (Yun et al., 2019)."""
    partner = torch.from_numpy(rng.permutation(len(maps)))
    side = maps.shape[2]
    length, (y, x) = side * math.sqrt(1 - rng.beta(0.4, 0.4)), rng.integers(side, size=2)
    top, bottom, left, right = (
        int(np.clip(round(edge), 0, side)) for edge in (y - length / 2, y + length / 2, x - length / 2, x + length / 2)
    )
    mixed = maps.clone()
    mixed[:, :, top:bottom, left:right] = maps[partner][:, :, top:bottom, left:right]
    return mixed, partner, (bottom - top) * (right - left) / side**2


def _forgetting(tuner: Tuner, maps: Tensor) -> Tensor:
    """How far the tuned trunk is from the original on `maps`: in ImageNet's answers (KL) and in standardized
    features."""
    classifier = imagenet_weights()
    weight, bias = classifier["classifier.weight"], classifier["classifier.bias"]
    with torch.no_grad():
        wanted = tuner.original(maps)
        answers = functional.softmax(functional.linear(wanted, weight, bias), dim=1)
    features = tuner.late(maps)
    given = functional.log_softmax(functional.linear(features, weight, bias), dim=1)
    divergence = functional.kl_div(given, answers, reduction="batchmean")
    distance: Tensor = ((features - wanted) / tuner.head.std).square().mean()
    return divergence + distance


def interpolate(tuned: LateTrunk, original: LateTrunk, share: float) -> None:
    """Sets `tuned` to `share` of itself and the rest of `original`."""
    with torch.no_grad():
        for ours, theirs in zip(tuned.parameters(), original.parameters(), strict=True):
            ours.lerp_(theirs, 1 - share)


def tensor(maps: Maps) -> Tensor:
    """Maps [n, 13, 13, 120] as the network takes them: float32 [n, 120, 13, 13]."""
    return torch.from_numpy(maps.astype(np.float32)).permute(0, 3, 1, 2)


def save_whole(state: Any, path: Path) -> None:
    """Saves to `path` all at once: an interruption leaves the old file or the new one."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)
