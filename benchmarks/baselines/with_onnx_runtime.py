"""ONNX Runtime with its defaults, Pillow and NumPy; the label embeddings are loaded at import."""

import io
import json
import os
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from PIL import Image

_FOLDER = Path(__file__).parent / "model"
_MANIFEST = json.loads((_FOLDER / "model.json").read_text())
_SIZE = _MANIFEST["image"]["size"][0]

_session = onnxruntime.InferenceSession(os.environ["onnx"], providers=["CPUExecutionProvider"])
_label_embeddings = np.load(_FOLDER / "labels.npy")


def rank(data: bytes) -> list[tuple[str, float]]:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    short = min(image.size)
    image = image.resize([int(_SIZE * side / short) for side in image.size], Image.Resampling.BICUBIC)
    left, top = round((image.width - _SIZE) / 2), round((image.height - _SIZE) / 2)
    pixels = np.asarray(image.crop((left, top, left + _SIZE, top + _SIZE)))[np.newaxis]
    embedding = _session.run(None, {"pixels": pixels})[0][0]
    logits = _MANIFEST["logit_scale"] * (_label_embeddings @ embedding)
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    return [(_MANIFEST["labels"][i], float(probabilities[i])) for i in np.argsort(-probabilities)[:5]]
