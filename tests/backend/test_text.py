"""Text cleaning, tokens and label embeddings against open_clip's own."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import open_clip
import pytest
from numpy.typing import NDArray

from backend.clip.errors import BadParameter
from backend.clip.export.source import load
from backend.clip.labels import LABELS, TEMPLATES
from backend.clip.manifest import Manifest
from backend.clip.text import LabelEncoder, clean
from tests.backend.checkpoints import write_checkpoint

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
    assert clean(text) == open_clip.tokenizer._clean_lower(text)


def test_tokens_equal_open_clip(encoder: LabelEncoder) -> None:
    tokenizer = open_clip.SimpleTokenizer()
    start, end = tokenizer.sot_token_id, tokenizer.eot_token_id

    tokens = dict(zip(STRINGS, encoder.tokenize(STRINGS), strict=True))

    assert len(STRINGS) > 250
    assert tokens == {text: [start, *tokenizer.encode(text), end] for text in STRINGS}


def test_random_text_has_the_tokens_of_open_clip(encoder: LabelEncoder) -> None:
    tokenizer = open_clip.SimpleTokenizer()
    random = np.random.default_rng(0)
    alphabet = [
        *"abcXYZ 'stlremvd.,!?-&;#019\t\n\u2013\u00e9\u00df\u00f1\u00a0\u65e5\u8a9e\ud55c\u200d",
        "\U0001f34e",
        "\U0001f3fd",
    ]
    texts = ["".join(random.choice(alphabet, size=random.integers(1, 40))) for _ in range(300)]

    for text, tokens in zip(texts, encoder.tokenize(texts), strict=True):
        assert tokens[1:-1] == tokenizer.encode(text), repr(text)


def test_embeddings_equal_open_clip(checkpoints: dict[str, str], encoder: LabelEncoder) -> None:
    """Short and full-length prompts in one call, so that trimmed and untrimmed batches are both held to the oracle."""
    source = load(checkpoints["vit"], None)
    labels = [*LABELS, "a " * 74 + "b", "日本語", "🍎"]
    expected = source.model.encode_text(source.tokenizer([f"a photo of a {label}." for label in labels[:100]]), True)

    actual = encoder.encode(labels, "{}")
    prompted = encoder.encode(labels[:100], "a photo of a {}.")

    np.testing.assert_allclose((prompted * expected.numpy()).sum(axis=1), 1, atol=1e-4)
    plain = source.model.encode_text(source.tokenizer(labels), True).numpy()
    np.testing.assert_allclose((actual * plain).sum(axis=1), 1, atol=1e-4)
    assert (plain @ plain.T - np.eye(len(labels))).max() < 0.999, "the oracle must tell the labels apart"


def test_a_tower_that_looks_both_ways_gets_the_whole_context(tmp_path: Path) -> None:
    from backend.clip.export.convert import export

    name = write_checkpoint(tmp_path / "checkpoint", "vit", text={"no_causal_mask": True})
    source = load(name, None)
    manifest = export(source, tmp_path / "model")
    expected = source.model.encode_text(source.tokenizer(list(LABELS)), True).numpy()

    actual = LabelEncoder(tmp_path / "model", manifest, precision="f32").encode(LABELS, "{}")

    assert not manifest.trims_padding
    np.testing.assert_allclose((actual * expected).sum(axis=1), 1, atol=1e-4)


def test_a_label_is_encoded_once(encoder: LabelEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = encoder.encode(["walrus", "pelican"], "one {}")
    calls: list[list[str]] = []

    def embed(prompts: Sequence[str]) -> NDArray[np.float32]:
        calls.append(list(prompts))
        return np.ones((len(prompts), first.shape[1]), np.float32)

    monkeypatch.setattr(encoder, "_embed", embed)

    second = encoder.encode(["pelican", "walrus", "heron", "heron"], "one {}")

    assert calls == [["one heron"]]
    np.testing.assert_array_equal(second[[1, 0]], first)


def test_more_labels_than_the_cache_holds(encoder: LabelEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    from cachetools import LRUCache

    monkeypatch.setattr(encoder, "_cache", LRUCache(8))
    labels = [f"thing {i}" for i in range(40)]

    np.testing.assert_allclose(encoder.encode(labels, "{}"), encoder.encode(labels[::-1], "{}")[::-1], atol=1e-5)
    assert len(encoder._cache) == 8


def test_a_prompt_over_the_context_is_refused(encoder: LabelEncoder) -> None:
    assert encoder.encode(["a " * 75], "{}").shape == (1, 64)
    with pytest.raises(BadParameter, match="78 tokens; at most 77"):
        encoder.encode(["dog", "a " * 76], "{}")
