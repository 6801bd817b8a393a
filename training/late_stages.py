"""The stages of the trunk that are tuned, as matrix products with the batch normalization inside: fewer steps, and no
statistics that small images could change."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from tqdm import tqdm

from training.step1_maps import FROZEN_STAGES, Maps


class _Pointwise(nn.Module):
    """A 1x1 convolution with its batch normalization inside, on maps [n, side, side, channels]: a matrix product."""

    def __init__(self, convolution: nn.Conv2d, normalization: Any) -> None:
        super().__init__()
        fused = fuse_conv_bn_eval(convolution, normalization)
        self.weight = nn.Parameter(fused.weight.detach()[:, :, 0, 0].T.contiguous())
        self.bias = nn.Parameter(fused.bias.detach().clone())  # type: ignore[union-attr]

    def forward(self, maps: Tensor) -> Tensor:
        flat = torch.addmm(self.bias, maps.reshape(-1, maps.shape[-1]), self.weight)
        return flat.view(*maps.shape[:-1], -1)

    def write_to(self, convolution: nn.Conv2d, normalization: Any) -> None:
        _write(self.weight.T[:, :, None, None], self.bias, convolution, normalization)


class _Depthwise(nn.Module):
    def __init__(self, convolution: nn.Conv2d, normalization: Any) -> None:
        super().__init__()
        self.fused = fuse_conv_bn_eval(convolution, normalization)

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.fused(maps.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return result

    def write_to(self, convolution: nn.Conv2d, normalization: Any) -> None:
        _write(self.fused.weight, self.fused.bias, convolution, normalization)  # type: ignore[arg-type]


def _write(weight: Tensor, bias: Tensor, convolution: nn.Conv2d, normalization: Any) -> None:
    """The convolution takes the weight, and the normalization shrinks to adding the bias."""
    with torch.no_grad():
        convolution.weight.copy_(weight)
        normalization.running_mean.zero_()
        normalization.running_var.fill_(1 - normalization.eps)
        normalization.weight.fill_(1)
        normalization.bias.copy_(bias)


class _Block(nn.Module):
    def __init__(self, block: Any) -> None:
        super().__init__()
        self.widen = _Pointwise(block.conv_pw, block.bn1)
        self.depthwise = _Depthwise(block.conv_dw, block.bn2)
        self.narrow = _Pointwise(block.conv_pwl, block.bn3)
        self.skip = block.has_skip

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.narrow(functional.relu6(self.depthwise(functional.relu6(self.widen(maps)))))
        return maps + result if self.skip else result

    def write_to(self, block: Any) -> None:
        self.widen.write_to(block.conv_pw, block.bn1)
        self.depthwise.write_to(block.conv_dw, block.bn2)
        self.narrow.write_to(block.conv_pwl, block.bn3)


class LateStages(nn.Module):
    """What follows the frozen stages of a timm EfficientNet-Lite, its batch normalization folded into the weights:
    maps float32 [n, side, side, channels] to pooled features [n, 1280]."""

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[_Block(block) for stage in trunk.blocks[FROZEN_STAGES:] for block in stage])
        self.last = _Pointwise(trunk.conv_head, trunk.bn2)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu6(self.last(self.blocks(maps))).mean((1, 2))

    @torch.no_grad()
    def features(self, maps: Maps, rows: NDArray[np.int64] | None = None, progress: bool = False) -> Tensor:
        """Pooled features [n, 1280] of the maps of ``rows``, or of all."""
        chosen = np.arange(len(maps)) if rows is None else rows
        parts = np.array_split(chosen, max(1, len(chosen) // 50))
        bar = tqdm(parts, desc="features", disable=not progress)
        return torch.cat([self(torch.from_numpy(maps[part].astype(np.float32))) for part in bar])

    def write_to(self, trunk: Any) -> None:
        """Puts the weights into ``trunk``, which then computes the same."""
        blocks = [block for stage in trunk.blocks[FROZEN_STAGES:] for block in stage]
        for own, block in zip(self.blocks, blocks, strict=True):
            own.write_to(block)  # type: ignore[operator]
        self.last.write_to(trunk.conv_head, trunk.bn2)
