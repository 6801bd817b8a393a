"""Every variant is a function that works, and all of them compute the same thing."""

import io
import json
from http.client import HTTPConnection
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.forward import forwarding
from benchmarks.models import Models
from benchmarks.photos import photo
from benchmarks.server import ServerFailed, serving
from benchmarks.tuned.tuning import Tuning
from benchmarks.variants import Variant, compared

TUNED = Tuning(
    engine={"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": None},
    dynamic=True,
    handling=2,
    inferring=2,
    gather=4,
)


def scores(variant: Variant, build: Path, image: bytes) -> dict[str, float]:
    with serving(variant.assemble(build), variant.variables(), image) as server:
        assert server.start_seconds > 0
        connection = HTTPConnection(server.host, server.port)
        connection.request("POST", "/", image)
        predictions = json.loads(connection.getresponse().read())["predictions"]
        connection.close()
    return {prediction["label"]: prediction["score"] for prediction in predictions}


def test_all_variants_give_the_same_ranking(models: Models, bundled: Path, tmp_path: Path) -> None:
    # A PNG: `clip` alone shrinks a JPEG while it decodes it.
    file = io.BytesIO()
    Image.open(io.BytesIO(photo((640, 480), seed=3))).save(file, "PNG")
    variants = {variant.key: variant for variant in compared(models, bundled, bf16=False)}
    variants["tuned"] = Variant("tuned", "tuned", models.exported, tuning=TUNED)

    expected = scores(variants["clip"], tmp_path, file.getvalue())

    assert len(expected) == 5
    for key in ("open_clip", "onnx", "tuned"):
        assert scores(variants[key], tmp_path, file.getvalue()) == pytest.approx(expected, abs=0.002), key
    # One prompt a label, not the average of 18: other numbers.
    assert len(scores(variants["original"], tmp_path, file.getvalue())) == 5


def test_bf16_is_compared_where_the_processor_has_it(models: Models, bundled: Path) -> None:
    without = {variant.key for variant in compared(models, bundled, bf16=False)}
    having = {variant.key for variant in compared(models, bundled, bf16=True)}

    assert having - without == {"open_clip-bf16", "clip-f32"}


@pytest.mark.parametrize("key", ["clip", "onnx"])
def test_the_forward_pass_alone_is_timed(models: Models, bundled: Path, tmp_path: Path, key: str) -> None:
    (variant,) = [variant for variant in compared(models, bundled, bf16=False) if variant.key == key]

    with forwarding(variant.assemble(tmp_path), variant.variables()) as forward:
        assert len(forward(3)) == 3
        assert all(0 < seconds < 60 for seconds in forward(2))


def test_a_variant_that_cannot_start_says_why(models: Models, tmp_path: Path) -> None:
    environment = {"baseline": "with_onnx_runtime", "onnx": "/nowhere/image.onnx"}
    variant = Variant("broken", "broken", models.exported, environment)

    with (
        pytest.raises(ServerFailed, match=r"(?s)answered its first request with 503.*/nowhere/image\.onnx"),
        serving(variant.assemble(tmp_path), variant.variables(), b""),
    ):
        pytest.fail("it started")
