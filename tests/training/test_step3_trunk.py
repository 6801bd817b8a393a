"""Step 3 lowers the loss on the labels, and the features of scenes stay close to the original ones."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from training import step3_trunk
from training.model import create, imagenet_weights
from training.step3_trunk import Scenes, Tuned, tune_trunk

DIM = 16
SIDE = 10
FEATURES = imagenet_weights()["classifier.weight"].shape[1]


def maps(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, SIDE, SIDE, 48)).astype(np.float16)


def test_tuning_learns_the_labels_and_holds_on_to_the_features_of_scenes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "EPOCHS": 2, "BATCH": 24, "WARM_UP_STEPS": 1, "HEAD_RATE": 1e-2, "AVERAGE_DECAY": 0.5, "CROPS": {SIDE: 1.0},
        "CUTMIX_SHARE": 0.0, "MIXUP_SHARE": 0.0,
    }.items():  # fmt: skip
        monkeypatch.setattr(step3_trunk, name, value)
    labels, rows = torch.arange(100), np.tile(np.arange(24), 6)
    view, sharp = maps(24, 1), maps(8, 2)

    def tuned(std: float) -> tuple[float, float]:
        """How much less the loss is afterwards, and how far the features of scenes moved; the smaller the features'
        ``std``, the more a move costs."""
        torch.manual_seed(0)
        prompts = nn.functional.normalize(torch.randn(2, 100, DIM), dim=-1)
        first, second = nn.Linear(FEATURES, 32), nn.Linear(32, DIM)
        scale = torch.full((FEATURES,), std)
        start = Tuned(create().visual.trunk, first, second, torch.zeros(FEATURES), scale, torch.tensor(2.0)).eval()
        with torch.no_grad():
            scenes = Scenes(sharp, start.late(torch.from_numpy(sharp).float()))
        checkpoint, model, accuracy = tmp_path / f"{std}.pt", copy.deepcopy(start), lambda average: 0.0
        average = tune_trunk(model, prompts, [view], rows, labels, scenes, 0, checkpoint, False, accuracy)

        def loss(of: Tuned) -> float:
            logits = of.scale.exp() * of(torch.from_numpy(view[rows]).float()) @ prompts.mean(0).T
            return float(nn.functional.cross_entropy(logits, labels[rows]))

        with torch.no_grad():
            moved = average.late(torch.from_numpy(sharp).float()) - scenes.features
            return loss(start) - loss(average), float(moved.square().mean())

    (learned_freely, moved_freely), (learned, moved) = tuned(1.0), tuned(0.03)
    assert learned_freely > 0.2
    assert learned > 0.2
    assert moved < 0.3 * moved_freely
