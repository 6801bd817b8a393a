"""A label together with its rivals: the score of NegRefine, and what it changes in an answer."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.clip.deadline import Deadline
from backend.clip.errors import Busy
from backend.clip.inference.text_tower import DEFAULT_TEMPLATE, LabelEncoder
from backend.clip.manifest import UNCALIBRATED, Manifest
from backend.clip.recognition.candidates import View
from backend.clip.recognition.confidence import multi_match
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Recognizer

LABEL = "a garden gnome"
TOGETHER = {"share": 0.8, "bias": -0.3, "together": 2.0}


@pytest.fixture
def plain(exported: dict[str, Path]) -> Recognizer:
    return Recognizer(exported["vit"], precision="f32")


@pytest.fixture
def pairing(exported: dict[str, Path]) -> Recognizer:
    """A model with random weights whose calibration looks for a label together with its rivals."""
    recognizer = Recognizer(exported["vit"], precision="f32")
    recognizer.manifest = replace(recognizer.manifest, confidence=replace(UNCALIBRATED, together=TOGETHER))
    return recognizer


def view_of(recognizer: Recognizer, seed: int = 4) -> View:
    pixels = np.random.default_rng(seed).integers(0, 256, size=(64, 64, 3), dtype=np.uint8)
    return recognizer.embed(pixels)


def of_paper(image: torch.Tensor, positive: str, folder: Path, negatives: list[str]) -> float:
    """The multi-matching score as the authors compute it, with one positive label: of the texts "POSITIVE and NEGATIVE"
    for the ``k_neg`` most similar negative labels, the largest exp(sim) / (exp(sim) + exp(sim of the negative))."""
    manifest = Manifest.read(folder)
    encoder = LabelEncoder(folder, manifest, precision="f32")

    def similarity(texts: list[str]) -> torch.Tensor:
        rows = encoder.encode(texts, DEFAULT_TEMPLATE, Deadline.unlimited())
        return manifest.logit_scale * (torch.tensor(rows) @ image).double()

    top = torch.topk(similarity(negatives), 5)
    pairs = similarity([f"{positive} and {negatives[index]}" for index in top.indices])
    return float(torch.max(torch.exp(pairs) / (torch.exp(pairs) + torch.exp(top.values))))


@pytest.mark.parametrize("label", [LABEL, "dolphin"])
def test_it_is_the_multi_matching_score_of_negrefine(label: str, plain: Recognizer, exported: dict[str, Path]) -> None:
    """For a label that is an everyday word the negative labels are the words that are not related to it, for any other
    those that are not the most like it."""
    view = view_of(plain)
    candidates = plain.candidates(Query(labels=(label,)), Deadline.unlimited())
    words = plain.everyday.words
    if label == LABEL:
        nearness = plain.everyday.candidates.embeddings @ candidates.embeddings[0]
        negatives = [words[i] for i in np.flatnonzero(nearness < np.quantile(nearness, 0.98))]
    else:
        entries = json.loads((exported["vit"] / "everyday.json").read_text())["words"]
        related = entries[words.index(label)]["related"]
        negatives = [word for i, word in enumerate(words) if i not in related]

    found = plain.together(view, candidates, 0, Deadline.unlimited())

    assert found == pytest.approx(of_paper(torch.tensor(view.embedding), label, exported["vit"], negatives), rel=1e-3)


def test_the_best_pair_counts() -> None:
    assert multi_match(np.array([1.0, 5.0]), np.array([1.0, 4.0])) == pytest.approx(1 / (1 + np.exp(-1)))
    assert multi_match(np.array([0.0]), np.array([300.0])) == pytest.approx(0)
    assert multi_match(np.array([300.0]), np.array([0.0])) == 1


def test_a_photo_of_two_things_is_no_objection_to_one_of_them(plain: Recognizer, pairing: Recognizer) -> None:
    """An image that is like "the label and a rival" is likelier to show the label than one that is like the rival."""
    candidates = plain.candidates(Query(labels=(LABEL,)), Deadline.unlimited())
    [rival] = plain.candidates(Query(labels=("umbrella",)), Deadline.unlimited()).embeddings
    text, _ = plain.encode([DEFAULT_TEMPLATE.format(f"{LABEL} and umbrella")], Deadline.unlimited())
    both, alone = View(text[0], np.empty(0)), View(rival, np.empty(0))

    gain = [
        pairing.rank(view, candidates, 1).confidence - plain.rank(view, candidates, 1).confidence
        for view in (both, alone)
    ]

    of_both, of_rival = (pairing.together(view, candidates, 0, Deadline.unlimited()) for view in (both, alone))
    assert of_both is not None
    assert of_rival is not None
    assert of_both > 0.5 > of_rival
    assert gain[0] > gain[1]


def test_the_confidence_has_the_weights_of_its_own_calibration(plain: Recognizer, pairing: Recognizer) -> None:
    view = view_of(plain)
    candidates = plain.candidates(Query(labels=(LABEL, "umbrella")), Deadline.unlimited())
    before, after = (each.rank(view, candidates, 2) for each in (plain, pairing))
    assert before.predictions == after.predictions
    best = list(candidates.labels).index(before.predictions[0].label)
    match = plain.together(view, candidates, best, Deadline.unlimited())
    log_odds = np.log(before.confidence / (1 - before.confidence))
    assert match is not None
    assert after.confidence == pytest.approx(1 / (1 + np.exp(-(0.8 * log_odds - 0.3 + 2 * match))))


def test_a_label_that_is_too_long_for_a_pair_is_answered_without(plain: Recognizer, pairing: Recognizer) -> None:
    long = " ".join(["gnome"] * 70)  # with the prompt as many tokens as the model takes
    view = view_of(plain)
    candidates = plain.candidates(Query(labels=(long,)), Deadline.unlimited())
    assert pairing.together(view, candidates, 0, Deadline.unlimited()) is None
    assert pairing.rank(view, candidates, 1) == plain.rank(view, candidates, 1)


def test_a_request_whose_time_is_over_is_told(pairing: Recognizer) -> None:
    candidates = pairing.candidates(Query(labels=(LABEL,)), Deadline.unlimited())
    with pytest.raises(Busy):
        pairing.rank(view_of(pairing, 9), candidates, 1, Deadline(0.0, lambda: False))


def test_a_closed_vocabulary_has_no_pairs(exported: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported["vit"], tmp_path / "model"))
    manifest = json.loads((folder / "model.json").read_text())
    manifest["vocabulary"] = "closed"
    manifest["confidence"]["together"] = TOGETHER
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="closed vocabulary and the calibration of an open one"):
        Recognizer(folder)
