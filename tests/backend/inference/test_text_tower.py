"""Text cleaning, tokens and label embeddings against open_clip's own."""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
from numpy.typing import NDArray

from backend.clip.deadline import Deadline
from backend.clip.errors import BadParameter, Busy, TooManyLabels
from backend.clip.export.cifar100 import LABELS, TEMPLATES
from backend.clip.export.source import load
from backend.clip.export.towers import TextTower
from backend.clip.inference.model_kinds import Clip
from backend.clip.inference.text_tower import LabelEncoder
from backend.clip.manifest import Manifest
from tests.checkpoints import write_checkpoint

STRINGS = [
    *(template.replace("{}", label) for label, template in zip(LABELS, TEMPLATES * 6, strict=False)),
    *LABELS,
    # White space, punctuation, contractions, entities, mojibake, scripts of the world, emoji, control characters.
    *json.loads(Path(__file__).with_name("texts.json").read_text()),
]


@pytest.fixture(scope="module")
def encoder(exported: dict[str, Path]) -> LabelEncoder:
    return LabelEncoder(exported["vit"], Manifest.read(exported["vit"]), precision="f32")


@pytest.mark.parametrize("text", STRINGS)
def test_clean_equals_open_clip(text: str) -> None:
    assert Clip.clean(text) == open_clip.tokenizer._clean_lower(text)


def test_plain_text_needs_no_mending() -> None:
    random = np.random.default_rng(0)
    printable = [chr(code) for code in range(0x20, 0x7F)]
    for _ in range(2000):
        text = "".join(random.choice(printable, size=random.integers(1, 30)))
        assert Clip.clean(text) == open_clip.tokenizer._clean_lower(text)


def test_tokens_equal_open_clip(encoder: LabelEncoder) -> None:
    tokenizer = open_clip.SimpleTokenizer()
    start, end = tokenizer.sot_token_id, tokenizer.eot_token_id

    assert len(STRINGS) > 250
    for text in STRINGS:
        assert encoder.tokenize(text) == [start, *tokenizer.encode(text), end], repr(text)


def test_random_text_has_the_tokens_of_open_clip(encoder: LabelEncoder) -> None:
    tokenizer = open_clip.SimpleTokenizer()
    random = np.random.default_rng(0)
    alphabet = [
        *"abcXYZ 'stlremvd.,!?-&;#019\t\n\u2013\u00e9\u00df\u00f1\u00a0\u65e5\u8a9e\ud55c\u200d",
        "\U0001f34e",
        "\U0001f3fd",
    ]
    texts = ["".join(random.choice(alphabet, size=random.integers(1, 40))) for _ in range(300)]

    for text in texts:
        assert encoder.tokenize(text)[1:-1] == tokenizer.encode(text), repr(text)


def test_embeddings_equal_open_clip(checkpoints: dict[str, str], encoder: LabelEncoder) -> None:
    """Short and full-length prompts in one call, so that trimmed and untrimmed batches are both held to the oracle."""
    source = load(checkpoints["vit"], None)
    labels = [*LABELS, "a " * 74 + "b", "日本語", "🍎"]
    expected = source.model.encode_text(source.tokenizer([f"a photo of a {label}." for label in labels[:100]]), True)

    actual = encoder.encode(labels, "{}", Deadline.unlimited())
    prompted = encoder.encode(labels[:100], "a photo of a {}.", Deadline.unlimited())

    np.testing.assert_allclose((prompted * expected.numpy()).sum(axis=1), 1, atol=1e-4)
    plain = source.model.encode_text(source.tokenizer(labels), True).numpy()
    np.testing.assert_allclose((actual * plain).sum(axis=1), 1, atol=1e-4)
    assert (plain @ plain.T - np.eye(len(labels))).max() < 0.999, "the oracle must tell the labels apart"


@pytest.mark.parametrize("kind", ["vit", "timm"])
def test_labels_that_are_encoded_for_the_export_equal_open_clip(kind: str, checkpoints: dict[str, str]) -> None:
    """Also where the id of padding stands within a text: that of "!" before another character is zero, too."""
    source = load(checkpoints[kind], None)
    for texts in (["!(a"], ["wow!*!"], ["cat", "a photo of !!"], ["a " * 74 + "b", "dog"]):
        tokens = source.tokenizer(texts)
        actual = TextTower(source.model).encode_text(tokens, normalize=True)
        np.testing.assert_allclose((actual * source.model.encode_text(tokens, True)).sum(1), 1, atol=1e-5)


def test_a_tower_that_looks_both_ways_gets_the_whole_context(tmp_path: Path) -> None:
    from backend.clip.export.convert import export

    name = write_checkpoint(tmp_path / "checkpoint", "vit", text={"no_causal_mask": True})
    source = load(name, None)
    manifest = export(source, tmp_path / "model")
    expected = source.model.encode_text(source.tokenizer(list(LABELS)), True).numpy()

    actual = LabelEncoder(tmp_path / "model", manifest, precision="f32").encode(LABELS, "{}", Deadline.unlimited())

    assert not manifest.trims_padding
    np.testing.assert_allclose((actual * expected).sum(axis=1), 1, atol=1e-4)


class Recorder:
    """In place of the text tower: records how many prompts each batch has."""

    def __init__(self, encoder: LabelEncoder) -> None:
        self._tower = encoder._tower
        self.given: list[int] = []

    def infer(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        self.given.append(int(inputs[0].any(axis=1).sum()))
        return self._tower.infer(inputs)


@pytest.fixture
def recorder(encoder: LabelEncoder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(encoder)
    monkeypatch.setattr(encoder, "_tower", recorder)
    return recorder


def test_a_label_is_encoded_once(encoder: LabelEncoder, recorder: Recorder) -> None:
    first = encoder.encode(["walrus", "pelican"], "one {}", Deadline.unlimited())
    # What the tokenizer sees is the same.
    second = encoder.encode([" PELICAN", "one &#119;alrus", "heron", "heron"], "one {}", Deadline.unlimited())
    third = encoder.encode(["one  Walrus"], "{}", Deadline.unlimited())

    assert recorder.given == [2, 2]
    np.testing.assert_array_equal(second[0], first[1])
    np.testing.assert_array_equal(third[0], first[0])


def test_the_cache_is_bounded_in_bytes(encoder: LabelEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    from cachetools import LRUCache

    room: LRUCache[Any, bytes] = LRUCache(20_000, encoder._cache.getsizeof)
    monkeypatch.setattr(encoder, "_cache", room)
    labels = [f"thing {i}" for i in range(100)]
    deadline = Deadline.unlimited()

    forward, backward = encoder.encode(labels, "{}", deadline), encoder.encode(labels[::-1], "{}", deadline)

    np.testing.assert_allclose(forward, backward[::-1], atol=1e-5)
    assert 10 < len(room) < 20_000 / (4 * encoder.encode(["x"], "{}", deadline).shape[1])
    assert sum(sys.getsizeof(row) + sys.getsizeof(ids) for ids, row in room.items()) <= 20_000


def test_too_many_new_tokens_are_refused_with_the_figures(encoder: LabelEncoder, recorder: Recorder) -> None:
    labels = [f"{i} " + "word " * 70 for i in range(300)]
    with pytest.raises(TooManyLabels, match=r"the first 2\d\d new ones have 16,[0-9]+ tokens, and at most 16,384"):
        encoder.encode(labels, "{}", Deadline.unlimited())
    assert recorder.given == []

    for start in range(0, 300, 100):
        encoder.encode(labels[start : start + 100], "{}", Deadline.unlimited())

    assert encoder.encode(labels, "{}", Deadline.unlimited()).shape[0] == 300


def test_work_stops_between_batches_and_what_is_done_stays(encoder: LabelEncoder, recorder: Recorder) -> None:
    labels = [f"article {i}" for i in range(500)]
    batches = 3
    leaving = Deadline(time.monotonic() + 60, lambda: len(recorder.given) >= batches)
    with pytest.raises(Busy):
        encoder.encode(labels, "{}", leaving)
    done = sum(recorder.given)

    encoder.encode(labels, "{}", Deadline.unlimited())

    assert len(recorder.given) > batches
    assert 0 < done < 500
    assert sum(recorder.given) == 500


def test_few_labels_do_not_wait_for_many(encoder: LabelEncoder, recorder: Recorder) -> None:
    """A cached label waits for nothing, and a new one for the batch that is under way."""
    encoder.encode(["cached"], "{}", Deadline.unlimited())
    many = threading.Thread(
        target=encoder.encode, args=([f"item {i}" for i in range(900)], "{}", Deadline.unlimited()), daemon=True
    )
    with encoder._turns.take(0, Deadline.unlimited()):
        many.start()
        encoder.encode(["cached"], "{}", Deadline(time.monotonic() + 5, lambda: False))
        with pytest.raises(Busy):
            encoder.encode(["new"], "{}", Deadline(time.monotonic() + 0.2, lambda: False))
    encoder.encode(["newer"], "{}", Deadline.unlimited())
    assert many.is_alive()
    many.join()
    assert sum(recorder.given) == 902


def test_a_prompt_over_the_context_is_refused(encoder: LabelEncoder) -> None:
    assert encoder.encode(["a " * 75], "{}", Deadline.unlimited()).shape == (1, 64)
    with pytest.raises(BadParameter, match="78 tokens; at most 77"):
        encoder.encode(["dog", "a " * 76], "{}", Deadline.unlimited())
