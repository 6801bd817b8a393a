"""Embeddings, scores and the ranking against open_clip, on models with random weights."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from PIL import Image

from backend.clip.deadline import Deadline
from backend.clip.errors import ClosedVocabulary
from backend.clip.export.source import load
from backend.clip.image import read_pixels
from backend.clip.manifest import Manifest
from backend.clip.recognizer import Candidates, Recognizer
from tests.backend.checkpoints import VISION
from tests.backend.test_image import encoded, photo

BFLOAT16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def images() -> list[Image.Image]:
    return [photo(size, seed) for seed, size in enumerate([(640, 480), (200, 300), (64, 64), (500, 100)])]


@pytest.mark.parametrize("kind", VISION)
@pytest.mark.parametrize(
    ("precision", "least"),
    [
        ("f32", 0.9999),
        pytest.param("bf16", 0.995, marks=pytest.mark.skipif(not BFLOAT16, reason="the processor has no bfloat16")),
    ],
)
def test_embeddings_equal_open_clip(
    kind: str, precision: str, least: float, checkpoints: dict[str, str], exported: dict[str, Path]
) -> None:
    source = load(checkpoints[kind], None)
    expected = source.model.encode_image(torch.stack([source.preprocess(image) for image in images()]), True).numpy()
    recognizer = Recognizer(exported[kind], precision=precision)

    actual = np.stack(
        [recognizer.embed(read_pixels(encoded(image, "PNG"), recognizer.manifest.image)) for image in images()]
    )

    assert (actual * expected).sum(axis=1).min() >= least
    np.testing.assert_allclose(np.linalg.norm(actual, axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("kind", VISION)
def test_scores_equal_open_clip(kind: str, checkpoints: dict[str, str], exported: dict[str, Path]) -> None:
    import open_clip

    source = load(checkpoints[kind], None)
    recognizer = Recognizer(exported[kind], precision="f32")
    manifest = recognizer.manifest
    classifier = open_clip.build_zero_shot_classifier(
        source.model, source.tokenizer, manifest.labels, manifest.templates
    )
    image = images()[0]
    logits = (
        source.model.logit_scale.exp() * source.model.encode_image(source.preprocess(image)[None], True) @ classifier
    )
    expected = dict(zip(manifest.labels, logits.softmax(dim=-1)[0].tolist(), strict=True))

    embedding = recognizer.embed(read_pixels(encoded(image, "PNG"), manifest.image))
    ranking = recognizer.rank(embedding, recognizer.candidates((), None, Deadline.unlimited()), top_k=100)

    assert len(ranking.predictions) == 100
    for prediction in ranking.predictions:
        assert prediction.score == pytest.approx(expected[prediction.label], rel=0.02)
    scores = [prediction.score for prediction in ranking.predictions]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)


def test_rank_is_the_softmax_of_scaled_cosines(exported: dict[str, Path]) -> None:
    recognizer = Recognizer(exported["vit"], precision="f32")
    angles = np.radians([60, 0, 30])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    candidates = Candidates(["sixty", "zero", "thirty"], rows)

    ranking = recognizer.rank(np.array([1, 0], np.float32), candidates, top_k=2)

    weights = np.exp(recognizer.manifest.logit_scale * np.cos(angles))
    assert [prediction.label for prediction in ranking.predictions] == ["zero", "thirty"]
    assert ranking.predictions[0].score == pytest.approx(weights[1] / weights.sum(), rel=1e-5)
    assert ranking.recognized == (ranking.predictions[0].score >= recognizer.manifest.recognition.threshold)


@pytest.mark.parametrize(
    ("statistic", "threshold", "recognized"),
    [
        *(("cosine", 0.99, True), ("cosine", 1.01, False), ("probability", 0.3, True), ("probability", 1.01, False)),
        # The random model's logit scale is 1 / 0.07, so that the other label hardly adds to the energy.
        *(("energy", 1 / 0.07 - 0.01, True), ("energy", 1 / 0.07 + 0.01, False)),
    ],
)
def test_recognized_follows_the_rule_of_the_model(
    statistic: str, threshold: float, recognized: bool, exported: dict[str, Path], tmp_path: Path
) -> None:
    import shutil
    from dataclasses import replace

    from backend.clip.manifest import Recognition

    folder = shutil.copytree(exported["vit"], tmp_path / "model")
    manifest = Manifest.read(folder)
    replace(manifest, recognition=Recognition(statistic, threshold, "test")).write(folder)  # type: ignore[arg-type]
    recognizer = Recognizer(folder)
    candidates = Candidates(["a", "b"], np.eye(2, dtype=np.float32))

    assert recognizer.rank(np.array([1, 0], np.float32), candidates, 1).recognized is recognized


def test_threads_get_the_embeddings_that_one_gets(exported: dict[str, Path]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    recognizer = Recognizer(exported["vit"], precision="f32")
    pixels = [np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8) for seed in range(64)]
    expected = [recognizer.embed(image) for image in pixels]

    with ThreadPoolExecutor(8) as threads:
        actual = list(threads.map(recognizer.embed, pixels))

    np.testing.assert_array_equal(actual, expected)


def test_a_closed_vocabulary_knows_its_own_labels_only(checkpoints: dict[str, str], tmp_path: Path) -> None:
    from backend.clip.export.convert import export

    export(load(checkpoints["vit"], None), tmp_path, vocabulary="closed")
    recognizer = Recognizer(tmp_path)

    chosen = recognizer.candidates(("pear", "apple"), None, Deadline.unlimited())

    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.bin", "image.xml", "labels.npy", "model.json"]
    np.testing.assert_array_equal(chosen.embeddings, np.load(tmp_path / "labels.npy")[[57, 0]])
    with pytest.raises(ClosedVocabulary, match="does not know: walrus"):
        recognizer.candidates(("apple", "walrus"), None, Deadline.unlimited())
    with pytest.raises(ClosedVocabulary, match="no other template"):
        recognizer.candidates((), "a sketch of a {}.", Deadline.unlimited())


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Recognizer(tmp_path)
