"""The head against the CLIP that it is written to, and what the gate and the evidence do."""

import pytest
import torch

from training import train
from training.head import Evidence, Gate, Head, fit_gate, label_prompts, prompt_tokens
from training.imagenet import SHARED_CLASSES, SHARED_LABELS
from training.model import create, imagenet_weights

EVIDENCE = Evidence(threshold=5, share=2, groups=train.EVIDENCE.groups, other_threshold=4, other_share=2, pull=10)
FEATURES = imagenet_weights()["classifier.weight"].shape[1]


@pytest.fixture(scope="module")
def prompts() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.nn.functional.normalize(torch.randn(100, 640), dim=-1)


def head(prompts: torch.Tensor, gate: Gate) -> Head:
    torch.manual_seed(1)
    return Head(torch.rand(FEATURES), 0.5 + torch.rand(FEATURES), prompts, train.LEARNED, gate, EVIDENCE)


def test_the_head_gives_the_same_as_the_clip_that_it_is_written_to() -> None:
    torch.manual_seed(0)
    clip = create()
    prompts = torch.nn.functional.normalize(label_prompts(clip, prompt_tokens(clip.context_length)[:2]).mean(0), dim=-1)
    own = head(prompts, Gate(0.01 * torch.rand(FEATURES), torch.tensor(0.5)))
    own.write_to(clip.visual.head.mlp)
    features = 2 * torch.rand(3, FEATURES)
    with torch.no_grad():
        embeddings = torch.nn.functional.normalize(clip.visual.head(features), dim=-1)
        torch.testing.assert_close(embeddings @ prompts.T, own(features), rtol=1e-3, atol=1e-4)


def test_the_gate_tells_sharp_from_small() -> None:
    torch.manual_seed(0)
    small, sharp = torch.rand(300, 20), torch.rand(60, 20) + torch.linspace(0, 1, 20)
    gate = fit_gate(small, sharp, 1.0)
    assert gate(small).mean() == pytest.approx(-1, abs=0.1)
    assert gate(sharp).mean() == pytest.approx(1, abs=0.1)


def test_only_a_sharp_picture_of_a_known_class_speaks_for_its_label(prompts: torch.Tensor) -> None:
    """Features along the classifier's row of a class have a large logit of it."""
    weights = imagenet_weights()
    number = SHARED_CLASSES.index(948)  # a Granny Smith
    row = weights["classifier.weight"][948]
    other = weights["classifier.weight"][281]  # a tabby cat
    known, unknown = (25 * (v / v.square().sum())[None] for v in (row, other))
    with torch.no_grad():
        open_gate = head(prompts, Gate(torch.zeros(FEATURES), torch.tensor(1.0)))
        shut_gate = head(prompts, Gate(torch.zeros(FEATURES), torch.tensor(-2.0)))
        assert int(open_gate(known).argmax()) == SHARED_LABELS[number]
        assert int(shut_gate(known).argmax()) != SHARED_LABELS[number]
        assert float(open_gate(unknown).max()) < float(shut_gate(unknown).max())
