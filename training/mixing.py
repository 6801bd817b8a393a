"""Mixup (Zhang et al., 2018): images are mixed in pairs, and their labels in the same proportion."""

import torch
from torch import Tensor
from torch.nn import functional

LABEL_SMOOTHING = 0.1


def mixed_features(features: Tensor, chosen: Tensor, concentration: float) -> tuple[Tensor, Tensor, float]:
    """The ``chosen`` [batch] of ``features`` [n, dim], each mixed with another one of them.

    Returns the mixed features [batch, dim], which ones were mixed in [batch], and the share of the chosen, which is
    drawn from a beta distribution with both parameters ``concentration``.
    """
    other = chosen[torch.randperm(len(chosen))]
    share = float(torch.distributions.Beta(concentration, concentration).sample())
    return share * features[chosen] + (1 - share) * features[other], other, share


def mixed_loss(logits: Tensor, labels: Tensor, others: Tensor, share: float) -> Tensor:
    """Cross entropy [] of ``logits`` [n, labels] for images with ``share`` of ``labels`` and else ``others``."""
    of_labels, of_others = (
        functional.cross_entropy(logits, wanted, label_smoothing=LABEL_SMOOTHING) for wanted in (labels, others)
    )
    return share * of_labels + (1 - share) * of_others
