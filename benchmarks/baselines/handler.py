"""``clip`` as it is usually written, in five ways; the environment's ``baseline`` says which one."""

import io
import json
import os
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_FOLDER = Path(__file__).parent / "model"
_MANIFEST = json.loads((_FOLDER / "model.json").read_text())
_label_embeddings = np.load(_FOLDER / "labels.npy")

Embeddings = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Of the image, [dim], and of the labels, [labels, dim], of unit length."""


def _with_open_clip() -> Callable[[bytes], Embeddings]:
    """With torch, as in its README; or as the project began, the model and the prompts anew on every request.

    The latter is kinder than the classic watchdog, which also starts Python and imports torch for each request.
    """
    import open_clip
    import torch

    dtype = torch.bfloat16 if os.environ.get("precision") == "bf16" else torch.float32
    name = f"local-dir:{os.environ['checkpoint']}"
    loaded = None if os.environ["baseline"] == "original" else open_clip.create_model_from_pretrained(name)
    compiled = torch.compile(loaded[0].eval().to(dtype).encode_image) if loaded and "compile" in os.environ else None

    @torch.inference_mode()
    def embed(data: bytes) -> Embeddings:
        model, preprocess = loaded or open_clip.create_model_from_pretrained(name)
        model = model.eval().to(dtype)
        labels = _label_embeddings
        if not loaded:
            prompts = open_clip.get_tokenizer(name)([f"a photo of a {label}." for label in _MANIFEST["labels"]])
            labels = model.encode_text(prompts, normalize=True).numpy()
        image = preprocess(Image.open(io.BytesIO(data))).unsqueeze(0).to(dtype)
        encode = compiled or model.encode_image
        return encode(image, normalize=True)[0].float().numpy(), labels

    return embed


def _with_onnx_runtime() -> Callable[[bytes], Embeddings]:
    """With its defaults, Pillow and NumPy."""
    import onnxruntime  # type: ignore[import-untyped]

    session = onnxruntime.InferenceSession(os.environ["onnx"], providers=["CPUExecutionProvider"])

    def embed(data: bytes) -> Embeddings:
        return session.run(None, {"pixels": _pixels(data)})[0][0], _label_embeddings

    return embed


def _with_openvino() -> Callable[[bytes], Embeddings]:
    """The ONNX file with one hint, and as many requests to the engine at a time as that recommends.

    So it is set up by OpenVINO Model Server, whose caller decodes; its own server and network protocol are not here.
    """
    import openvino as ov

    compiled = ov.Core().compile_model(os.environ["onnx"], "CPU", {"PERFORMANCE_HINT": os.environ["hint"]})
    idle: queue.Queue[ov.InferRequest] = queue.Queue()
    for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
        idle.put(compiled.create_infer_request())

    def embed(data: bytes) -> Embeddings:
        pixels = _pixels(data)
        request = idle.get()
        try:
            return request.infer([pixels])[0][0].copy(), _label_embeddings
        finally:
            idle.put(request)

    return embed


def _pixels(data: bytes) -> NDArray[np.uint8]:
    """uint8 [1, height, width, 3], by Pillow."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return np.asarray(ImageOps.fit(image, _MANIFEST["image"]["size"], Image.Resampling.BICUBIC))[np.newaxis]


def _with_faster_clip() -> Callable[[bytes], Embeddings]:
    """An engine in Rust, which decodes the image, too."""
    from faster_clip import ClipModel  # type: ignore[import-untyped]

    model = ClipModel()

    def embed(data: bytes) -> Embeddings:
        embedding = np.array(model.encode_image([data])[0], np.float32)
        return embedding / np.linalg.norm(embedding), _label_embeddings

    return embed


_ways = {"onnx": _with_onnx_runtime, "openvino": _with_openvino, "faster-clip": _with_faster_clip}
_embed = _ways.get(os.environ["baseline"], _with_open_clip)()


def handle(event: Any, context: Any) -> dict[str, Any]:
    embedding, label_embeddings = _embed(event.body)
    logits = _MANIFEST["logit_scale"] * (label_embeddings @ embedding)
    scores = np.exp(logits - logits.max())
    scores /= scores.sum()
    best = [{"label": _MANIFEST["labels"][i], "score": float(scores[i])} for i in np.argsort(-scores)[:5]]
    body = json.dumps({"predictions": best})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}
