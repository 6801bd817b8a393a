"""The labels' own units against the checkpoint that they are written to, and what the gate does."""

import copy

import pytest
import torch
from torch.nn import functional

from backend.clip.export.towers import FineClasses
from backend.clip.labels import LABELS
from training import head
from training.head import Gate, OwnUnits, fit_gate, label_prompts, prompt_tokens, write_head
from training.model import create, imagenet_weights
from training.units import View, averaged_units, learn_units

FEATURES = imagenet_weights()["classifier.weight"].shape[1]


def units_of(prompts: torch.Tensor, width: int = 1280) -> tuple[OwnUnits, torch.nn.Linear, torch.nn.Linear]:
    torch.manual_seed(1)
    first, second = torch.nn.Linear(FEATURES, 30), torch.nn.Linear(30, prompts.shape[1])
    return OwnUnits(first, second, torch.rand(FEATURES), 0.5 + torch.rand(FEATURES), prompts, 9.0, width), first, second


@pytest.fixture(scope="module")
def prompts() -> torch.Tensor:
    torch.manual_seed(0)
    return functional.normalize(torch.randn(100, 640), dim=-1)


def test_units_begin_as_the_head_that_they_are_made_of(prompts: torch.Tensor) -> None:
    units, first, second = units_of(prompts)
    features = 2 * torch.rand(3, FEATURES)
    embeddings = second(functional.gelu(first((features - units.mean) / units.std)))
    torch.testing.assert_close(units(features), 9 * embeddings @ prompts.T)


def test_the_checkpoint_gives_the_logits_of_the_units_and_of_imagenet() -> None:
    torch.manual_seed(0)
    clip = create()
    own = functional.normalize(label_prompts(clip, prompt_tokens(clip.context_length)[:2]).mean(0), dim=-1)
    units = units_of(own)[0]
    features = 2 * torch.rand(3, FEATURES)
    weights = imagenet_weights()
    of_imagenet = features @ weights["classifier.weight"].T + weights["classifier.bias"]
    with torch.no_grad():
        for sharpness, offset in ((0.5, head.SHARP_OFFSET), (-1.0, head.SMALL_OFFSET)):
            gate = Gate(torch.zeros(FEATURES), torch.tensor(sharpness))
            classes = FineClasses(write_head(units, own, gate, clip.visual.head.mlp))
            embedding = clip.visual.head(features)
            actual = classes(features, embedding)
            torch.testing.assert_close(actual[:, :1000], of_imagenet, rtol=1e-3, atol=1e-3)
            apple = 1000 + LABELS.index("apple")
            torch.testing.assert_close(actual[:, apple], units(features)[:, 0] + offset, rtol=1e-3, atol=1e-2)
        expected = units(features)
        best = (functional.normalize(embedding, dim=-1) @ own.T).argmax(1)
        assert best.tolist() == expected.argmax(1).tolist()


def test_labels_that_imagenet_has_no_class_for_are_lifted_in_sharp_pictures(prompts: torch.Tensor) -> None:
    mlp = create().visual.head.mlp
    tensors = write_head(units_of(prompts)[0], prompts, Gate(torch.zeros(FEATURES), torch.tensor(0.0)), mlp)
    lifted = {
        label for label, bias in zip(LABELS, tensors["sharp.bias"], strict=True) if bias > head.SHARP_OFFSET + 0.1
    }
    assert {"pear", "raccoon", "dolphin", "sunflower"} <= lifted
    assert lifted.isdisjoint({"apple", "orange", "lion"})


def test_the_gate_tells_sharp_from_small() -> None:
    torch.manual_seed(0)
    small, sharp = torch.rand(300, 20), torch.rand(60, 20) + torch.linspace(0, 1, 20)
    gate = fit_gate(small, sharp, 1.0)
    assert gate(small).mean() == pytest.approx(-1, abs=0.1)
    assert gate(sharp).mean() == pytest.approx(1, abs=0.1)


def test_units_learn_what_they_are_shown(prompts: torch.Tensor) -> None:
    units = units_of(prompts, width=40)[0]
    labels = torch.arange(6)
    features = 2 * torch.rand(6, FEATURES)
    before = copy.deepcopy(units)
    learn_units(units, [View(features, labels, 6, 1.0), View(features, labels, 3, 0.3)], 60, 0, progress=False)
    assert units(features).argmax(1).tolist() == labels.tolist()
    assert before(features).argmax(1).tolist() != labels.tolist()
    half = averaged_units(before, units, 0.5)
    torch.testing.assert_close(half.out.bias, (before.out.bias + units.out.bias) / 2)
