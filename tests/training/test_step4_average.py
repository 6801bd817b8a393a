"""Averaged weights lie between those before and after."""

import torch
from torch import nn

from training.step4_average import averaged


def test_averaged_weights_are_three_quarters_of_the_way_to_what_was_learned() -> None:
    before, after = nn.Linear(3, 2), nn.Linear(3, 2)
    after.load_state_dict({name: values + 1 for name, values in before.state_dict().items()})
    between = averaged(before, after)
    for old, middle in zip(before.parameters(), between.parameters(), strict=True):
        torch.testing.assert_close(middle, old + 0.75)
