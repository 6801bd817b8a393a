"""The late stages against timm's own."""

import torch

from training.features import FROZEN_STAGES
from training.late import LateStages, averaged
from training.model import create


def test_late_stages_are_those_of_timm_and_can_be_put_back() -> None:
    trunk = create().visual.trunk
    late, inputs = LateStages(trunk), torch.randn(2, 26, 26, 48)
    pooled = trunk.global_pool(trunk.bn2(trunk.conv_head(trunk.blocks[FROZEN_STAGES:](inputs.permute(0, 3, 1, 2)))))
    torch.testing.assert_close(late(inputs), pooled, rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        for parameter in late.parameters():
            parameter.mul_(1.1)
    late.write_to(trunk)
    pooled = trunk.global_pool(trunk.bn2(trunk.conv_head(trunk.blocks[FROZEN_STAGES:](inputs.permute(0, 3, 1, 2)))))
    torch.testing.assert_close(late(inputs), pooled, rtol=1e-3, atol=1e-3)


def test_averaged_stages_have_weights_between_two() -> None:
    before = LateStages(create().visual.trunk)
    after = LateStages(create().visual.trunk)
    with torch.no_grad():
        for parameter in after.parameters():
            parameter.add_(1)
    between = averaged(before, after, 0.75)
    for old, middle in zip(before.parameters(), between.parameters(), strict=True):
        torch.testing.assert_close(middle, old + 0.75)
