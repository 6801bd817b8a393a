"""Label units with random weights."""

import torch

from training.model import imagenet_weights
from training.step5_label_units import LabelUnits

FEATURES = imagenet_weights()["classifier.weight"].shape[1]


def units_of(prompts: torch.Tensor, width: int = 1280) -> tuple[LabelUnits, torch.nn.Linear, torch.nn.Linear]:
    torch.manual_seed(1)
    first, second = torch.nn.Linear(FEATURES, 30), torch.nn.Linear(30, prompts.shape[1])
    return (
        LabelUnits(first, second, torch.rand(FEATURES), 0.5 + torch.rand(FEATURES), prompts, 9.0, width),
        first,
        second,
    )
