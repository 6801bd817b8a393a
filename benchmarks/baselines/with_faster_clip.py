"""faster-clip, an engine in Rust, which decodes the image, too; the label embeddings are loaded at import."""

import json
from pathlib import Path

import numpy as np
from faster_clip import ClipModel  # type: ignore[import-untyped]

_FOLDER = Path(__file__).parent / "model"
_MANIFEST = json.loads((_FOLDER / "model.json").read_text())

_model = ClipModel()
_label_embeddings = np.load(_FOLDER / "labels.npy")


def rank(data: bytes) -> list[tuple[str, float]]:
    embedding = np.array(_model.encode_image([data])[0], np.float32)
    logits = _MANIFEST["logit_scale"] * (_label_embeddings @ (embedding / np.linalg.norm(embedding)))
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    return [(_MANIFEST["labels"][i], float(probabilities[i])) for i in np.argsort(-probabilities)[:5]]
