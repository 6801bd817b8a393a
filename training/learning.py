"""What the two trainings have in common: a state that is kept after every epoch, and the loss of mixed images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

LABEL_SMOOTHING = 0.1


def resume(checkpoint: Path, state: Mapping[str, Any]) -> int:
    """Loads into `state` what `keep` wrote, where there is something, and returns after how many epochs that was."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    epochs = int(saved.pop("epochs"))
    for name, values in saved.items():
        state[name].load_state_dict(values)
    return epochs


def keep(checkpoint: Path, state: Mapping[str, Any], epochs: int) -> None:
    """Writes the `state` after so many epochs; an interruption leaves the file that was there."""
    partial = checkpoint.with_suffix(".partial")
    torch.save({"epochs": epochs, **{name: part.state_dict() for name, part in state.items()}}, partial)
    partial.replace(checkpoint)


def mixed_loss(logits: Tensor, labels: Tensor, others: Tensor, share: float) -> Tensor:
    """Cross entropy [] of `logits` [n, labels] for images that show `share` of `labels` and else `others`, [n]."""
    of_labels, of_others = (
        functional.cross_entropy(logits, wanted, label_smoothing=LABEL_SMOOTHING) for wanted in (labels, others)
    )
    return share * of_labels + (1 - share) * of_others
