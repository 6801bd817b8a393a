"""Everything on every request: the model is loaded and the 100 prompts are encoded anew.

Kinder than a function behind the classic watchdog, which also starts Python and imports torch for each request.
"""

import io
import json
import os
from pathlib import Path

import open_clip
import torch
from PIL import Image

_LABELS = json.loads((Path(__file__).parent / "model" / "model.json").read_text())["labels"]


@torch.inference_mode()
def rank(data: bytes) -> list[tuple[str, float]]:
    name = f"local-dir:{os.environ['checkpoint']}"
    model, preprocess = open_clip.create_model_from_pretrained(name)
    model.eval()
    prompts = open_clip.get_tokenizer(name)([f"a photo of a {label}." for label in _LABELS])
    image_embedding = model.encode_image(preprocess(Image.open(io.BytesIO(data))).unsqueeze(0), normalize=True)
    label_embeddings = model.encode_text(prompts, normalize=True)
    probabilities = (model.logit_scale.exp() * image_embedding @ label_embeddings.T).softmax(dim=-1)
    scores, indices = probabilities[0].topk(5)
    return [(_LABELS[index], score) for index, score in zip(indices.tolist(), scores.tolist(), strict=True)]
