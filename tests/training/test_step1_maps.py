"""Maps against timm itself, and an interruption."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import torch

from training.model import CONFIG, IMAGE_SIZE, create
from training.step1_maps import FROZEN_STAGES, compile_frozen, compile_trunk, extract

MEAN, STD = CONFIG["preprocess_cfg"]["mean"][0], CONFIG["preprocess_cfg"]["std"][0]
IMAGES = np.random.default_rng(1).integers(0, 256, size=(10, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def trunk() -> Any:
    return create().visual.trunk


@pytest.fixture(scope="module")
def frozen(trunk: Any) -> ov.CompiledModel:
    return compile_frozen(trunk)


def test_maps_are_those_of_timm(trunk: Any, frozen: ov.CompiledModel, tmp_path: Path) -> None:
    maps = extract(frozen, lambda row: IMAGES[row], 10, tmp_path / "f", False)
    with torch.no_grad():
        images = (torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 255 - MEAN) / STD
        expected = trunk.blocks[:FROZEN_STAGES](trunk.bn1(trunk.conv_stem(images))).permute(0, 2, 3, 1)
    np.testing.assert_allclose(maps, expected.numpy(), rtol=2e-3, atol=2e-3)


def test_pooled_features_are_those_of_timm(trunk: Any, tmp_path: Path) -> None:
    features = extract(compile_trunk(trunk), lambda row: IMAGES[row], 10, tmp_path / "f", False)
    with torch.no_grad():
        expected = trunk((torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 255 - MEAN) / STD)
    np.testing.assert_allclose(features, expected.numpy(), rtol=2e-3, atol=2e-3)


def test_maps_that_were_finished_are_not_computed_again(frozen: ov.CompiledModel, tmp_path: Path) -> None:
    whole = extract(frozen, lambda row: IMAGES[row], 10, tmp_path / "f", False)
    expected = np.array(whole)
    (tmp_path / "f" / "finished.json").write_text("6")
    whole[:6], whole[6:] = 7, 0  # a memory map: the file changes
    resumed = extract(frozen, lambda row: IMAGES[row], 10, tmp_path / "f", False)
    assert (resumed[:6] == 7).all()
    np.testing.assert_allclose(resumed[6:], expected[6:], rtol=1e-3, atol=1e-3)
