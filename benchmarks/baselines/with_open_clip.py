"""open_clip with torch, as in its README: the model and the label embeddings are loaded at import."""

import io
import json
import os
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image

_DTYPE = torch.bfloat16 if os.environ.get("precision") == "bf16" else torch.float32
_FOLDER = Path(__file__).parent / "model"
_LABELS = json.loads((_FOLDER / "model.json").read_text())["labels"]

_model, _preprocess = open_clip.create_model_from_pretrained(f"local-dir:{os.environ['checkpoint']}")
_model = _model.eval().to(_DTYPE)
_label_embeddings = torch.from_numpy(np.load(_FOLDER / "labels.npy"))


@torch.inference_mode()
def rank(data: bytes) -> list[tuple[str, float]]:
    image = _preprocess(Image.open(io.BytesIO(data))).unsqueeze(0).to(_DTYPE)
    embedding = _model.encode_image(image, normalize=True).float()
    probabilities = (_model.logit_scale.exp().float() * embedding @ _label_embeddings.T).softmax(dim=-1)
    scores, indices = probabilities[0].topk(5)
    return [(_LABELS[index], score) for index, score in zip(indices.tolist(), scores.tolist(), strict=True)]
