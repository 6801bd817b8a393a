"""The labels' own units: their initial weights, and their training."""

import copy

import pytest
import torch
from torch.nn import functional

from tests.training.units import FEATURES, units_of
from training.step5_label_units import View, train_units


@pytest.fixture(scope="module")
def prompts() -> torch.Tensor:
    torch.manual_seed(0)
    return functional.normalize(torch.randn(100, 640), dim=-1)


def test_units_begin_as_the_head_that_they_are_made_of(prompts: torch.Tensor) -> None:
    units, first, second = units_of(prompts)
    features = 2 * torch.rand(3, FEATURES)
    embeddings = second(functional.gelu(first((features - units.mean) / units.std)))
    torch.testing.assert_close(units(features), 9 * embeddings @ prompts.T)


def test_units_learn_what_they_are_shown(prompts: torch.Tensor) -> None:
    units = units_of(prompts, width=40)[0]
    labels = torch.arange(6)
    features = 2 * torch.rand(6, FEATURES)
    before = copy.deepcopy(units)
    train_units(units, [View(features, labels, 6, 1.0), View(features, labels, 3, 0.3)], 60, 0, progress=False)
    assert units(features).argmax(1).tolist() == labels.tolist()
    assert before(features).argmax(1).tolist() != labels.tolist()
