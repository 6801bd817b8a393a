"""What phrases change in a confidence, against the formula of the paper that they are from."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.clip.deadline import Deadline
from backend.clip.export.phrases import NOUNS, PROMPTS, phrases
from backend.clip.inference.text_tower import LabelEncoder
from backend.clip.manifest import UNCALIBRATED, Manifest
from backend.clip.recognition.candidates import View
from backend.clip.recognition.phrases import Phrases
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Recognizer
from backend.clip.recognition.vocabulary import NEAREST


@pytest.fixture
def recognizer(exported: dict[str, Path]) -> Recognizer:
    """A model with random weights for which phrases were chosen."""
    recognizer = Recognizer(exported["vit"])
    recognizer.manifest = replace(recognizer.manifest, confidence=replace(UNCALIBRATED, negatives="phrases"))
    return recognizer


def unit(array: np.ndarray) -> np.ndarray:
    return np.asarray(array / np.linalg.norm(array, axis=-1, keepdims=True), np.float32)


def test_an_adjective_and_a_noun_make_a_phrase() -> None:
    every = phrases()
    assert len(set(every)) == len(every) > 500
    assert {phrase.rpartition(" ")[2] for phrase in every} == set(NOUNS)
    assert every == phrases()


def test_the_embeddings_are_means_over_prompts(exported: dict[str, Path]) -> None:
    """As in the authors' code: the embeddings of the prompts, of unit length here, are averaged and normalized."""
    folder, every = exported["vit"], phrases()
    written = np.load(folder / "phrases.npy")
    assert written.shape == (len(every), 64)
    encoder = LabelEncoder(folder, Manifest.read(folder))
    for position in (0, 17, len(every) - 1):
        rows = encoder.encode([every[position]], "{}", Deadline.unlimited())
        for prompt in PROMPTS[1:]:
            rows = np.concatenate([rows, encoder.encode([every[position]], prompt, Deadline.unlimited())])
        assert unit(rows.mean(axis=0)) == pytest.approx(written[position], abs=2e-3)


def test_confidence_is_the_score_of_chen_et_al(recognizer: Recognizer, exported: dict[str, Path]) -> None:
    """Theirs, in one group: the positive labels' share of the softmax over the scaled cosines of all labels.
    The negative ones are those least similar to the positive ones (NegMining), a share of the nouns and one of the
    phrases; these shares are the words' here. With one positive label both are the same number."""
    pixels = np.random.default_rng(4).integers(0, 256, size=(64, 64, 3), dtype=np.uint8)
    view = recognizer.embed(pixels)
    candidates = recognizer.candidates(Query(labels=("a garden gnome",)), Deadline.unlimited())

    image, positive = torch.tensor(view.embedding), torch.tensor(candidates.embeddings)
    negatives = []
    for name in ("everyday.npy", "phrases.npy"):
        pool = torch.from_numpy(np.load(exported["vit"] / name))
        similarity = (pool @ positive.T).squeeze(1)
        negatives.append(pool[similarity < torch.quantile(similarity, NEAREST)])
    scale = recognizer.manifest.logit_scale
    full = torch.cat([scale * positive @ image, scale * torch.cat(negatives) @ image]).double().softmax(0)

    assert recognizer.rank(view, candidates, 1).confidence == pytest.approx(float(full[0]), rel=1e-4)


def test_a_picture_that_is_like_a_phrase_is_not_taken_for_a_word(
    exported: dict[str, Path], tmp_path: Path, recognizer: Recognizer
) -> None:
    folder = Path(shutil.copytree(exported["vit"], tmp_path / "model"))
    candidates = recognizer.candidates(Query(labels=("a garden gnome",)), Deadline.unlimited())
    own = candidates.embeddings[0]
    other = np.random.default_rng(5).normal(size=own.shape)
    rusty = unit(other - own * (other @ own))  # as unlike the label as can be
    others = unit(np.random.default_rng(6).normal(size=(200, len(own))))
    np.save(folder / "phrases.npy", np.concatenate([[rusty], others]).astype(np.float32))
    manifest = json.loads((folder / "model.json").read_text())
    del manifest["files"]["phrases.npy"]
    manifest["confidence"]["negatives"] = "phrases"
    (folder / "model.json").write_text(json.dumps(manifest))
    with_phrases, without = Recognizer(folder), Recognizer(exported["vit"])
    like_both = View(unit(own + 2 * rusty), np.empty(0))

    sure = [each.rank(like_both, candidates, 1).confidence for each in (with_phrases, without)]
    assert sure[0] < sure[1] / 2
    alone = View(own, np.empty(0))
    like_the_label = [each.rank(alone, candidates, 1).confidence for each in (with_phrases, without)]
    assert like_the_label[0] > 0.99 * like_the_label[1]


def test_a_folder_that_lacks_the_phrases_it_was_calibrated_with_is_not_served(
    exported: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exported["vit"], tmp_path / "model"))
    manifest = json.loads((folder / "model.json").read_text())
    del manifest["files"]["phrases.npy"]
    manifest["confidence"]["negatives"] = "phrases"
    (folder / "model.json").write_text(json.dumps(manifest))
    (folder / "phrases.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"phrases\.npy"):
        Recognizer(folder)


def test_phrases_compete_with_the_everyday_words_all_at_once_as_with_each_alone(
    recognizer: Recognizer, exported: dict[str, Path]
) -> None:
    everyday = recognizer.everyday.candidates
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, size=(64, 64, 3), dtype=np.uint8)
        view = recognizer.embed(pixels)
        phrases = Phrases.read(exported["vit"], recognizer.manifest.logit_scale)
        together = phrases.of_words(view, everyday.embeddings, NEAREST)
        for word in range(0, len(everyday.labels), 97):
            rivals = phrases.rivals(view, everyday.embeddings[word], NEAREST)
            assert together[word] == pytest.approx(float(np.logaddexp.reduce(rivals)), abs=1e-4)
