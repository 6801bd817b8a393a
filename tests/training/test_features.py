"""Features against timm itself, and an interruption."""

from pathlib import Path

import numpy as np
import torch

from training.features import FEATURES, FROZEN_STAGES, compile_trunk, extract
from training.model import create

SIZE = 64
IMAGES = np.random.default_rng(1).integers(0, 256, size=(10, SIZE, SIZE, 3), dtype=np.uint8)


def test_maps_and_pooled_features_are_those_of_timm(tmp_path: Path) -> None:
    trunk = create().visual.trunk
    features = extract(compile_trunk(trunk, SIZE, 0.4, 0.6), lambda row: IMAGES[row], 10, tmp_path / "f", False)
    with torch.no_grad():
        images = (torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 255 - 0.4) / 0.6
        maps = trunk.blocks[:FROZEN_STAGES](trunk.bn1(trunk.conv_stem(images))).permute(0, 2, 3, 1)
        pooled = trunk(images)
    assert features.pooled.shape == (10, FEATURES)
    np.testing.assert_allclose(features.maps, maps.numpy(), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(features.pooled, pooled.numpy(), rtol=1e-3, atol=1e-3)


def test_features_that_were_finished_are_not_computed_again(tmp_path: Path) -> None:
    trunk = compile_trunk(create().visual.trunk, SIZE, 0.5, 0.5)
    whole = extract(trunk, lambda row: IMAGES[row], 10, tmp_path / "f", False)
    expected = np.array(whole.pooled)
    (tmp_path / "f" / "finished.json").write_text("6")
    whole.pooled[:6], whole.pooled[6:] = 7, 0  # a memory map: the file changes
    resumed = extract(trunk, lambda row: IMAGES[row], 10, tmp_path / "f", False)
    assert (resumed.pooled[:6] == 7).all()
    np.testing.assert_allclose(resumed.pooled[6:], expected[6:], rtol=1e-4, atol=1e-5)
