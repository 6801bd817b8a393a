"""Every variant is a function that works, and all of them compute the same thing."""

import io
import json
from http.client import HTTPConnection
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file

from benchmarks.models import Models, write_checkpoint, write_faster_clip
from benchmarks.photos import photo
from benchmarks.server import ServerFailed, serving
from benchmarks.variants import Variant, compared


def scores(variant: Variant, build: Path, image: bytes) -> dict[str, float]:
    with serving(variant.assemble(build), variant.variables(), image) as server:
        assert server.start_seconds > 0
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/", image)
        predictions = json.loads(connection.getresponse().read())["predictions"]
        connection.close()
    return {prediction["label"]: prediction["score"] for prediction in predictions}


def test_all_variants_give_the_same_ranking(models: Models, tmp_path: Path) -> None:
    # A PNG: ``clip`` alone shrinks a JPEG while it decodes it.
    file = io.BytesIO()
    Image.open(io.BytesIO(photo((640, 480), seed=3))).save(file, "PNG")
    variants = {variant.key: variant for variant in compared(models, models, frozenset(("f32", "avx_vnni")))}

    expected = scores(variants["clip-f32"], tmp_path, file.getvalue())

    assert len(expected) == 5
    for key in ("open_clip", "onnx", "openvino-latency", "openvino-throughput", "vnni-open_clip"):
        assert scores(variants[key], tmp_path, file.getvalue()) == pytest.approx(expected, abs=0.002), key
    # The original has one prompt a label, not the average of 18: its scores are others.
    assert len(scores(variants["original"], tmp_path, file.getvalue())) == 5


def test_faster_clip_gets_the_same_weights(tmp_path: Path) -> None:
    import numpy as np
    import open_clip
    import torch
    from faster_clip import ClipModel  # type: ignore[import-untyped]

    write_checkpoint("ViT-B-32", tmp_path / "checkpoint")
    write_faster_clip(tmp_path / "checkpoint", tmp_path / "cache")
    assert len(load_file(next((tmp_path / "cache").rglob("*.safetensors")))) == 200
    image = photo((224, 224), seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTER_CLIP_CACHE", str(tmp_path / "cache"))
        actual = np.array(ClipModel().encode_image([image])[0])
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{tmp_path / 'checkpoint'}")
    with torch.no_grad():
        expected = model.eval().encode_image(preprocess(Image.open(io.BytesIO(image)))[None], normalize=True)[0]
    assert float(actual @ expected.numpy()) / np.linalg.norm(actual) > 0.99


def test_what_is_compared_follows_the_processor(models: Models) -> None:
    def keys(*formats: str) -> set[str]:
        return {variant.key for variant in compared(models, models, frozenset(("f32", *formats)))}

    assert keys("bf16") - keys() == {"clip-bf16", "open_clip-bf16", "open_clip-compiled"}
    assert keys("int8") - keys() == {"clip-int8"}
    assert keys("avx_vnni") - keys() == {"vnni-int8", "vnni-open_clip"}


def test_what_a_machine_lacks_is_known_before_it_is_started(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    variants = {variant.key: variant for variant in compared(models, models, frozenset(("f32", "bf16")))}
    monkeypatch.setenv("CXX", "no-such-compiler")

    assert {variant.key: variant.lacks for variant in variants.values() if variant.lacks} == {
        "open_clip-compiled": "a C++ compiler: no-such-compiler"
    }


def test_a_variant_that_cannot_start_says_why(models: Models, tmp_path: Path) -> None:
    environment = {"baseline": "onnx", "onnx": "/nowhere/image.onnx"}
    variant = Variant("broken", "broken", models.exported, environment)

    with (
        pytest.raises(ServerFailed, match=r"(?s)answered its first request with status 503.*/nowhere/image\.onnx"),
        serving(variant.assemble(tmp_path), variant.variables(), b""),
    ):
        pytest.fail("it started")
