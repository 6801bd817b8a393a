"""Embeddings, scores and the ranking against open_clip, on models with random weights."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from PIL import Image

from backend.clip.deadline import Deadline
from backend.clip.errors import ClosedVocabulary
from backend.clip.export.convert import export
from backend.clip.export.source import load
from backend.clip.manifest import Manifest
from backend.clip.photos.image import read_pixels
from backend.clip.recognition.candidates import Candidates, View
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Ranking, Recognizer
from tests.checkpoints import VISION
from tests.pictures import encoded, photo

BFLOAT16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def images() -> list[Image.Image]:
    return [photo(size, seed) for seed, size in enumerate([(640, 480), (200, 300), (64, 64), (500, 100)])]


@pytest.mark.parametrize("kind", VISION)
@pytest.mark.parametrize(
    ("precision", "least"),
    [
        ("f32", 0.999999),
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
        [
            recognizer.embed(read_pixels(encoded(image, "PNG"), recognizer.manifest.image)).embedding
            for image in images()
        ]
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
    ranking = recognizer.rank(embedding, recognizer.candidates(Query(), Deadline.unlimited()), top_k=100)

    assert len(ranking.predictions) == 100
    for prediction in ranking.predictions:
        assert prediction.score == pytest.approx(expected[prediction.label], rel=0.02)
    scores = [prediction.score for prediction in ranking.predictions]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)


def as_seen(embedding: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> View:
    return View(embedding, np.empty(0))


def test_rank_is_the_softmax_of_scaled_cosines(exported: dict[str, Path]) -> None:
    recognizer = Recognizer(exported["vit"], precision="f32")
    angles = np.radians([60, 0, 30])
    rows = np.zeros((3, recognizer.manifest.embedding_dim), np.float32)
    rows[:, 0], rows[:, 1] = np.cos(angles), np.sin(angles)
    candidates = Candidates(["sixty", "zero", "thirty"], np.array([-1, -1, -1]), rows)

    ranking = recognizer.rank(as_seen(rows[1]), candidates, top_k=2)

    weights = np.exp(recognizer.manifest.logit_scale * np.cos(angles))
    assert [prediction.label for prediction in ranking.predictions] == ["zero", "thirty"]
    assert ranking.predictions[0].score == pytest.approx(weights[1] / weights.sum(), rel=1e-5)


@pytest.fixture(scope="module")
def sharp(exported: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """A random model with a logit scale that tells its embeddings apart, which are all close together."""
    folder = shutil.copytree(exported["vit"], tmp_path_factory.mktemp("sharp") / "model")
    replace(Manifest.read(folder), logit_scale=1000.0).write(folder)
    return Recognizer(folder, precision="f32")


def test_a_photo_of_a_word_is_recognized_by_it_and_by_no_other(sharp: Recognizer) -> None:
    """The embedding of a prompt stands for a photo that shows exactly that."""
    cat = as_seen(sharp.candidates(Query(labels=("cat",)), Deadline.unlimited()).embeddings[0])

    def rank(*labels: str) -> Ranking:
        return sharp.rank(cat, sharp.candidates(Query(labels=labels), Deadline.unlimited()), 5)

    for right in (["cat"], ["cat", "dog"], ["dog", "pizza", "cats", "cat"], ["Cat", "animal", "my own thing"]):
        assert rank(*right).recognized, right
        assert rank(*right).confidence > 0.6, right
        assert rank(*right).instead is None
    for wrong in (["pizza"], ["pizza", "dog"], ["a thing of my own"], []):
        assert not rank(*wrong).recognized, wrong
        instead = rank(*wrong).instead
        assert instead is not None
        assert instead.label == "cat"
        assert instead.confidence > 0.6


def test_everyday_words_are_ranked(sharp: Recognizer) -> None:
    flamingo = as_seen(sharp.candidates(Query(labels=("flamingo",)), Deadline.unlimited()).embeddings[0])

    ranking = sharp.rank(flamingo, sharp.everyday.candidates, 1000)

    assert ranking.predictions[0].label == "flamingo"
    assert ranking.recognized
    assert ranking.instead is None
    assert len({prediction.label for prediction in ranking.predictions}) == 1000


@pytest.mark.parametrize(("threshold", "recognized"), [(0.001, True), (0.999, False)])
def test_recognized_is_confidence_over_the_threshold(
    threshold: float, recognized: bool, exported: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(exported["vit"], tmp_path / "model")
    manifest = Manifest.read(folder)
    replace(manifest, confidence=replace(manifest.confidence, threshold=threshold)).write(folder)
    recognizer = Recognizer(folder)
    cat = as_seen(recognizer.candidates(Query(labels=("cat",)), Deadline.unlimited()).embeddings[0])

    ranking = recognizer.rank(cat, recognizer.candidates(Query(labels=("dog", "cat")), Deadline.unlimited()), 1)

    assert 0.001 < ranking.confidence < 0.999
    assert ranking.recognized is recognized


def test_threads_get_the_embeddings_that_one_gets(exported: dict[str, Path]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    recognizer = Recognizer(exported["vit"], precision="f32")
    pixels = [np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8) for seed in range(64)]
    expected = [recognizer.embed(image) for image in pixels]

    with ThreadPoolExecutor(8) as threads:
        actual = list(threads.map(recognizer.embed, pixels))

    np.testing.assert_array_equal([view.embedding for view in actual], [view.embedding for view in expected])


def test_a_closed_vocabulary_knows_its_labels_and_the_everyday_words(
    checkpoints: dict[str, str], tmp_path: Path
) -> None:
    export(load(checkpoints["vit"], None), tmp_path, vocabulary="closed")
    recognizer = Recognizer(tmp_path)
    words, own = np.load(tmp_path / "everyday.npy"), np.load(tmp_path / "labels.npy")

    assert {path.name for path in tmp_path.iterdir()} == {
        *("image.bin", "image.xml", "explain.bin", "explain.xml"),
        *("labels.npy", "everyday.json", "everyday.npy", "phrases.npy", "model.json"),
        *("languages.tsv", "names.tsv"),
    }
    np.testing.assert_array_equal(
        recognizer.candidates(Query(labels=("pear", "Apple")), Deadline.unlimited()).embeddings, own[[57, 0]]
    )
    mixed = recognizer.candidates(Query(labels=("pear", "Dogs")), Deadline.unlimited())
    assert mixed.labels == ("pear", "Dogs")
    np.testing.assert_array_equal(mixed.embeddings, [own[57], words[recognizer.everyday.words.index("dog")]])
    with pytest.raises(ClosedVocabulary, match=r"does not know: walrrus \(near: walrus\), qwertz\. GET /"):
        recognizer.candidates(Query(labels=("apple", "walrrus", "qwertz", "cat")), Deadline.unlimited())
    with pytest.raises(ClosedVocabulary, match="no other template"):
        recognizer.candidates(Query(template="a sketch of a {}."), Deadline.unlimited())


def test_a_folder_of_another_version_is_refused(exported: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(exported["vit"], tmp_path / "model")
    values = json.loads((folder / "model.json").read_text())
    del values["confidence"]
    (folder / "model.json").write_text(json.dumps(values))

    with pytest.raises(ValueError, match="another version: export the model again"):
        Recognizer(folder)


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Recognizer(tmp_path)
