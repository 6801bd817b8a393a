"""Step 4: weights between those before and after a training.

They keep more of what was known before of pictures unlike the ones trained on (WiSE-FT; Wortsman et al., "Robust
fine-tuning of zero-shot models", 2022).
"""

import copy
from typing import TypeVar

import torch
from torch import nn

KEPT = 0.75
"""How much of what was learned is kept."""

Module = TypeVar("Module", bound=nn.Module)


def averaged(before: Module, after: Module) -> Module:
    """A module like both, each weight ``KEPT`` of the way from the one to the other."""
    result, old, new = copy.deepcopy(after), before.state_dict(), after.state_dict()
    result.load_state_dict({name: torch.lerp(old[name], new[name], KEPT) for name in new})
    return result
