"""The late stages against timm's own."""

import torch

from training.late_stages import LateStages
from training.model import create
from training.step1_maps import FROZEN_STAGES


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
