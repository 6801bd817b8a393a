"""The labels' own units against the checkpoint that they are written to, what the gate does, and the scale."""

import pytest
import torch
from torch.nn import functional

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.fine_classes import FineClasses
from tests.training.units import FEATURES, units_of
from training import step6_fine_classes
from training.model import create, imagenet_weights
from training.prompts import label_prompts, prompt_tokens
from training.step6_fine_classes import Gate, calibrated_scale, fit_gate, write_head


@pytest.fixture(scope="module")
def prompts() -> torch.Tensor:
    torch.manual_seed(0)
    return functional.normalize(torch.randn(100, 640), dim=-1)


def test_the_checkpoint_gives_the_logits_of_the_units_and_of_imagenet() -> None:
    torch.manual_seed(0)
    clip = create()
    own = functional.normalize(label_prompts(clip, prompt_tokens(clip.context_length)[:2]).mean(0), dim=-1)
    units = units_of(own)[0]
    features = 2 * torch.rand(3, FEATURES)
    weights = imagenet_weights()
    of_imagenet = features @ weights["classifier.weight"].T + weights["classifier.bias"]
    with torch.no_grad():
        for sharpness, offset in ((0.5, step6_fine_classes.SHARP_OFFSET), (-1.0, step6_fine_classes.SMALL_OFFSET)):
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
        label
        for label, bias in zip(LABELS, tensors["sharp.bias"], strict=True)
        if bias > step6_fine_classes.SHARP_OFFSET + 0.1
    }
    assert {"pear", "raccoon", "dolphin", "sunflower"} <= lifted
    assert lifted.isdisjoint({"apple", "orange", "lion"})


def test_the_gate_tells_sharp_from_small() -> None:
    torch.manual_seed(0)
    small, sharp = torch.rand(300, 20), torch.rand(60, 20) + torch.linspace(0, 1, 20)
    gate = fit_gate(small, sharp, 1.0)
    assert gate(small).mean() == pytest.approx(-1, abs=0.1)
    assert gate(sharp).mean() == pytest.approx(1, abs=0.1)


def test_the_calibrated_scale_is_the_one_that_gave_the_labels() -> None:
    generator = torch.Generator().manual_seed(0)
    cosines = 2 * torch.rand(20_000, 10, generator=generator) - 1
    labels = torch.multinomial(torch.softmax(12 * cosines, dim=1), 1, generator=generator)[:, 0]
    assert calibrated_scale(cosines, labels) == pytest.approx(12, abs=0.5)
