"""The export through its command line; what it writes is held to open_clip in the tests of the other modules."""

import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from backend.clip.export.__main__ import main
from backend.clip.export.convert import export
from backend.clip.export.source import CLASSES, ExportError, load
from backend.clip.export.towers import ImageTower
from backend.clip.manifest import Calibration, Manifest
from backend.clip.recognition.recognizer import Recognizer
from tests.checkpoints import TEXT, VISION, write_checkpoint
from tests.launch import PROJECT

ROOT = PROJECT


def run_export(*arguments: str, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, offline where it would download."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)}
    command = [sys.executable, "-W", "error", "-m", "backend.clip.export", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_command_line_writes_a_whole_folder(checkpoints: dict[str, str], tmp_path: Path) -> None:
    calibration = {"threshold": 0.4, "weights": {"share": 0.9, "bias": -0.5}, "source": "40 photographs"}
    (tmp_path / "calibration.json").write_text(json.dumps(calibration))
    (tmp_path / "labels.txt").write_text("cat\nmy own thing\n")
    (tmp_path / "templates.txt").write_text("a photo of a {}.\na drawing of a {}.\n")
    out = tmp_path / "new" / "model"

    result = run_export(
        *("--model", checkpoints["vit"], "--out", str(out), "--name", "tiny/random", "--license", "CC0-1.0"),
        *("--confidence", str(tmp_path / "calibration.json")),
        *("--labels", str(tmp_path / "labels.txt"), "--templates", str(tmp_path / "templates.txt")),
    )

    assert result.returncode == 0, result.stderr
    assert "Exported tiny/random (open vocabulary)" in result.stderr
    assert {path.name for path in out.iterdir()} == {
        *("image.xml", "image.bin", "text.xml", "text.bin", "tokenizer.json", "labels.npy", "model.json"),
        *("everyday.json", "everyday.npy", "phrases.npy", "languages.tsv", "names.tsv", "explain.xml", "explain.bin"),
    }
    weights = Path(checkpoints["vit"].removeprefix("local-dir:")) / "open_clip_model.safetensors"
    manifest = Manifest.read(out)
    assert manifest.title == "tiny/random"
    assert manifest.license == "CC0-1.0"
    assert manifest.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert manifest.exported_with.keys() == {"python", "open-clip-torch", "openvino", "torch"}
    assert manifest.confidence == Calibration(0.4, {"share": 0.9, "bias": -0.5}, "40 photographs")
    recognizer = Recognizer(out)
    assert manifest.labels == ("cat", "my own thing")
    assert manifest.templates == ("a photo of a {}.", "a drawing of a {}.")
    assert np.load(out / "labels.npy").shape == (2, 64)
    assert recognizer.manifest.image.size == (64, 64)


def test_a_new_export_leaves_nothing_of_the_old(
    checkpoints: dict[str, str], exported: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(exported["vit"], tmp_path, dirs_exist_ok=True)
    (tmp_path / "README.md").write_text("a model card")

    export(load(checkpoints["resnet"], None), tmp_path, vocabulary="closed")

    assert {path.name for path in tmp_path.iterdir()} == {
        *("README.md", "image.xml", "image.bin", "labels.npy", "everyday.json", "everyday.npy", "model.json"),
        *("phrases.npy", "languages.tsv", "names.tsv"),
    }
    assert Manifest.read(tmp_path).vocabulary == "closed"


def test_the_preprocessing_of_the_checkpoint_is_kept(tmp_path: Path) -> None:
    preprocess = {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7], "interpolation": "bilinear", "resize_mode": "squash"}
    name = write_checkpoint(tmp_path / "checkpoint", "vit", preprocess=preprocess)

    manifest = export(load(name, None), tmp_path / "model")

    assert (manifest.image.interpolation, manifest.image.resize_mode) == ("bilinear", "squash")


def test_a_model_that_disagrees_is_not_written(
    checkpoints: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WrongTower(ImageTower):
        def __init__(self, model: object, mean: list[float], std: list[float], classes: None) -> None:
            super().__init__(model, [4 * value for value in mean], std, classes)

    monkeypatch.setattr("backend.clip.export.convert.ImageTower", WrongTower)
    with pytest.raises(ExportError, match="image tower disagrees with open_clip"):
        export(load(checkpoints["vit"], None), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_quickgelu_mismatch_is_an_error(checkpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"embed_dim": 64, "vision_cfg": VISION["vit"], "text_cfg": TEXT}
    weights = Path(checkpoints["vit"].removeprefix("local-dir:")) / "open_clip_model.safetensors"
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-B-32", small)
    monkeypatch.setattr(open_clip.factory, "download_pretrained", lambda *_, **__: str(weights))

    with pytest.raises(ExportError, match="ViT-B-32-quickgelu"):
        load("ViT-B-32", "openai")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """The command in this process, which has imported torch already; offline."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["export", *arguments])
        return main()

    yield run
    logging.disable(logging.NOTSET)


UNEXPORTABLE = [
    (("--model", "ViT-B-32"), "needs --pretrained.*datacomp_xl_s13b_b90k"),
    (("--model", "ViT-Z-1", "--pretrained", "x"), "ViT-Z-1"),
    (("--model", "ViT-B-32", "--pretrained", "no_such_tag"), "no_such_tag.*local-dir:FOLDER"),
    (("--model", "ViT-B-32", "--pretrained", "datacomp_xl_s13b_b90k"), "download weights.*datacomp.*local-dir:FOLDER"),
    (("--model", "hf-hub:nobody/nothing"), "nobody/nothing.*not known here.*--accept-license"),
    (("--model", "hf-hub:nobody/nothing", "--accept-license"), "nobody/nothing.*local-dir:FOLDER"),
    (("--model", "MobileCLIP2-S0", "--pretrained", "dfndr2b"), "apple-amlr.*forbids commercial use.*--accept-license"),
    (("--model", "MobileCLIP2-S0", "--pretrained", "dfndr2b", "--accept-license"), "download weights.*dfndr2b"),
    (("--model", "local-dir:/nowhere"), "/nowhere"),
    (("--model", "local-dir:"), "Empty path"),
    (("--model", "ViT-B-32-SigLIP2-256", "--pretrained", "webli"), "download weights.*webli.*local-dir:FOLDER"),
    (("--model", "xlm-roberta-base-ViT-B-32", "--pretrained", "laion5b_s13b_b90k"), "neither the CLIP BPE tokenizer"),
    (("--model", "nllb-clip-base-siglip", "--pretrained", "v1"), "neither the CLIP BPE tokenizer nor SigLIP's"),
]


@pytest.mark.parametrize(("arguments", "message"), UNEXPORTABLE)
def test_what_cannot_be_exported_has_a_message(
    arguments: tuple[str, ...],
    message: str,
    command: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(*arguments, "--out", str(tmp_path / "model")) == 1

    error = capsys.readouterr().err
    assert error.startswith("export: ")
    assert re.search(message, error, re.DOTALL)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"threshold": 0.5, "weights": {"energy": 1}, "source": ""}', '{"threshold": 0.5}']
)
def test_a_broken_calibration_is_refused(
    text: str,
    command: Callable[..., int],
    checkpoints: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)

    assert command("--model", checkpoints["vit"], "--out", str(tmp_path / "model"), "--confidence", str(path)) == 1
    assert f"{path} is not a calibration" in capsys.readouterr().err


def test_an_error_ends_the_command_without_a_traceback(tmp_path: Path) -> None:
    arguments, message = UNEXPORTABLE[3]

    result = run_export(*arguments, "--out", str(tmp_path / "model"), cache=tmp_path)

    assert result.returncode == 1
    assert result.stderr.startswith("export: ")
    assert "Traceback" not in result.stderr
    assert re.search(message, result.stderr, re.DOTALL)


def test_a_checkpoint_without_weights_is_an_error(tmp_path: Path) -> None:
    name = write_checkpoint(tmp_path / "checkpoint", "vit")
    (tmp_path / "checkpoint" / "open_clip_model.safetensors").unlink()

    with pytest.raises(ExportError, match="could not be loaded"):
        load(name, None)


def test_another_text_cleaning_is_an_error(tmp_path: Path) -> None:
    name = write_checkpoint(tmp_path / "checkpoint", "vit")
    config = tmp_path / "checkpoint" / "open_clip_config.json"
    values = json.loads(config.read_text())
    values["model_cfg"]["text_cfg"]["tokenizer_kwargs"] = {"clean": "canonicalize"}
    config.write_text(json.dumps(values))

    with pytest.raises(ExportError, match="neither the CLIP BPE tokenizer with lower-case cleaning"):
        export(load(name, None), tmp_path / "model")


def test_a_checkpoint_with_fine_classes_gives_a_second_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VISION, "tiny", VISION["timm"] | {"timm_model_name": "test_efficientnet"})
    name = write_checkpoint(tmp_path / "checkpoint", "tiny")
    torch.manual_seed(0)
    sizes = {"features": (256, 6), "sharp": (64, 2), "small": (64, 2), "gate": (256, 1)}
    layers = {layer: torch.nn.Linear(*size) for layer, size in sizes.items()}
    tensors = {
        f"{layer}.{key}": value for layer, linear in layers.items() for key, value in linear.state_dict().items()
    }
    save_file(tensors, tmp_path / "checkpoint" / CLASSES)
    source = load(name, None)
    with pytest.raises(ExportError, match="none of them is apple"):
        export(source, tmp_path / "model", vocabulary="closed")
    assert export(source, tmp_path / "model", vocabulary="closed", label_names=("shark", "ray")).generality < 1
    assert not (tmp_path / "model" / "everyday.npy").exists()
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    view = Recognizer(tmp_path / "model", precision="f32").embed(pixels)
    config = open_clip.get_model_preprocess_cfg(source.model)
    images = (torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 - torch.tensor(config["mean"]).view(3, 1, 1)) / (
        torch.tensor(config["std"]).view(3, 1, 1)
    )
    with torch.no_grad():
        features = source.model.visual.trunk(images)
        embedding = source.model.visual.head(features)
        share = layers["gate"](features).clamp(0, 1)
        own = torch.lerp(layers["sharp"](embedding), layers["small"](embedding), share)
        expected = torch.cat([layers["features"](features), own], 1)[0]
    np.testing.assert_allclose(view.classes, expected.numpy(), rtol=0.02, atol=0.02)
    export(source, tmp_path / "open")
    assert Recognizer(tmp_path / "open").embed(pixels).classes.size == 0
