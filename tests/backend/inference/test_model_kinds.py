"""SigLIP, held to open_clip's own model and tokenizer; CLIP is in ``test_text_tower.py``."""

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from backend.clip.deadline import Deadline
from backend.clip.errors import TooManyLabels
from backend.clip.export.convert import export
from backend.clip.export.source import ExportError, Source, load
from backend.clip.inference.model_kinds import SigLip
from backend.clip.inference.text_tower import LabelEncoder
from backend.clip.limits import MAX_NEW_LABEL_TOKENS
from backend.clip.manifest import Manifest
from backend.clip.photos.image import fit
from backend.clip.recognition.recognizer import Recognizer
from tests.backend.inference.test_text_tower import STRINGS
from tests.checkpoints import write_checkpoint

# Punctuation within and around words, other scripts' punctuation, letters whose lower case is longer, underscores.
TEXTS = [
    *STRINGS,
    *(
        "ein_Hund",
        "__a__",
        "l'été, l\u2019hiver!",
        "ÜBER-all: 3.5 %",
        "İSTANBUL",
        "собака?",
        "「犬」。",
        "一只狗",
        "كلب؟",
    ),
    *("a_b - c", "&amp;_&#119;", "***", " . ", "\u00a0x\u3000y"),
]


@pytest.fixture(scope="module")
def source(checkpoints: dict[str, str]) -> Source:
    return load(checkpoints["siglip"], None)


@pytest.fixture(scope="module")
def encoder(exported: dict[str, Path]) -> LabelEncoder:
    return LabelEncoder(exported["siglip"], Manifest.read(exported["siglip"]), precision="f32")


@pytest.mark.parametrize("text", TEXTS)
def test_clean_equals_open_clip(text: str) -> None:
    assert SigLip.clean(text) == open_clip.tokenizer._clean_canonicalize(text)


def test_any_plain_text_is_cleaned_as_by_open_clip() -> None:
    random = np.random.default_rng(0)
    printable = [chr(code) for code in range(0x20, 0x7F)]
    for _ in range(2000):
        text = "".join(random.choice(printable, size=random.integers(1, 30)))
        assert SigLip.clean(text) == open_clip.tokenizer._clean_canonicalize(text)


def test_tokens_and_their_padding_equal_open_clip(encoder: LabelEncoder, source: Source) -> None:
    used = set()
    for text in TEXTS:
        ids = encoder.tokenize(text)
        if len(ids) <= 64:  # open_clip cuts what is longer, and here it is refused
            assert [*ids, *[0] * (64 - len(ids))] == source.tokenizer([text])[0].tolist(), repr(text)
            used |= {*ids}
    assert len(used) > 100, "the tokenizer must tell the texts apart"
    assert encoder.tokenize("Hund")[-1] == 1
    assert len(encoder.tokenize("Hund")) < len("Hund") + 1, "pairs of characters must be merged"


def test_embeddings_equal_open_clip(
    encoder: LabelEncoder, source: Source, exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the rounding of the tokens' embeddings to int8, and exactly with the rounded ones."""
    labels = ["dog", "ein Hund", "собака", "犬", "a cat!", "", "word " * 30, *("thing" * i for i in range(2, 12))]
    tokens = source.tokenizer(labels)
    expected = source.model.encode_text(tokens, True).numpy()
    rows = np.load(exported["siglip"] / SigLip.ROWS) * np.load(exported["siglip"] / SigLip.SCALES)
    monkeypatch.setattr(source.model.text.token_embedding.weight, "data", torch.from_numpy(rows))
    rounded = source.model.encode_text(tokens, True).numpy()

    actual = encoder.encode(labels, "{}", Deadline.unlimited())

    np.testing.assert_allclose((actual * expected).sum(axis=1), 1, atol=2e-4)
    np.testing.assert_allclose((actual * rounded).sum(axis=1), 1, atol=1e-6)
    others = (expected @ expected.T)[~np.eye(len(labels), dtype=bool)]
    assert others.max() < 1 - 4e-4, "the oracle must tell any two labels apart"


def test_an_image_is_squashed_and_has_open_clips_embedding(exported: dict[str, Path], source: Source) -> None:
    recognizer = Recognizer(exported["siglip"], precision="f32")
    noise = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 3), np.uint8)
    images = [Image.fromarray(levels).resize((300, 170), Image.Resampling.BICUBIC) for levels in noise]
    expected = np.concatenate(
        [source.model.encode_image(source.preprocess(image)[None], normalize=True).numpy() for image in images]
    )

    for image, embedding in zip(images, expected, strict=True):
        view = recognizer.embed(np.asarray(fit(image, recognizer.manifest.image)))
        assert view.embedding @ embedding > 0.999999
    assert expected[0] @ expected[1] < 0, "the oracle must tell the images apart"
    assert recognizer.manifest.logit_bias == -10


def test_new_labels_are_limited_by_what_they_cost(exported: dict[str, Path]) -> None:
    manifest = Manifest.read(exported["siglip"])
    most = manifest.max_new_labels
    assert manifest.label_price == 64, "a small tower costs no less than its context"
    assert most == MAX_NEW_LABEL_TOKENS // 64
    encoder = LabelEncoder(exported["siglip"], manifest)

    with pytest.raises(TooManyLabels, match=f"encodes at most {most} for one request"):
        encoder.encode([f"thing {i}" for i in range(most + 1)], "{}", Deadline.unlimited())
    encoder.encode([f"thing {i}" for i in range(most)], "{}", Deadline.unlimited())

    assert encoder.encode([f"thing {i}" for i in range(most + 1)], "{}", Deadline.unlimited()).shape == (most + 1, 96)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pool_type": "first"}, "a text tower that is not SigLIP's"),
        ({"tokenizer_kwargs": {"clean": "lower"}}, "nor SigLIP's with canonical cleaning"),
        ({"tokenizer_kwargs": {"clean": "canonicalize", "padding_side": "left"}}, "does not pad on the right"),
    ],
)
def test_another_form_is_refused(changed: dict[str, object], message: str, tmp_path: Path) -> None:
    name = write_checkpoint(tmp_path / "checkpoint", "siglip")
    path = tmp_path / "checkpoint" / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["text_cfg"] |= changed
    path.write_text(json.dumps(config))

    with pytest.raises(ExportError, match=message):
        export(load(name, None), tmp_path / "model")
