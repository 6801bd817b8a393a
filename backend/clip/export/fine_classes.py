"""Fine classes: what an image tower with a second output says of an image beside its embedding."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class FineClasses(nn.Module):
    """The second output of an image tower: logits of fine classes.

    The first come from the trunk's features, as from its own classifier. The others come from the embedding, before it
    is scaled to unit length: by one linear layer for sharp pictures and another for small ones that were enlarged,
    mixed by a linear gate on the features.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        """``tensors``: ``weight`` and ``bias`` of the linear layers ``features``, ``sharp``, ``small`` and ``gate``."""
        super().__init__()
        self.features = _linear(tensors, "features")
        self.sharp = _linear(tensors, "sharp")
        self.small = _linear(tensors, "small")
        self.gate = _linear(tensors, "gate")
        self.count = self.features.out_features + self.sharp.out_features

    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """float32 [n, features] and [n, dim] to [n, classes]."""
        share = self.gate(features).clamp(0, 1)
        others = (1 - share) * self.sharp(embedding) + share * self.small(embedding)
        return torch.cat([self.features(features), others], dim=1)


def _linear(tensors: Mapping[str, Tensor], name: str) -> nn.Linear:
    weight, bias = tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float()
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer.requires_grad_(False)
