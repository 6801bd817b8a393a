"""The training command on a tiny set of random images: what it writes, and that an interruption changes nothing."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file

from training import fit, train, tune
from training.model import create
from training.towers import Head, LateTrunk, label_prompts, prompt_tokens

IMAGES = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    images = rng.integers(0, 256, size=(IMAGES, 32, 32, 3), dtype=np.uint8)
    np.savez(path, images=images, labels=rng.integers(0, 100, size=IMAGES))
    return path


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "EPOCHS", 2)
    monkeypatch.setattr(tune, "EPOCHS", 4)
    monkeypatch.setattr(tune, "CHECKPOINT_EVERY", 1)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["train", *map(str, arguments)])
    return train.main()


def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(monkeypatch, "--data", data, "--out", whole) == 0

    update = tune.Tuner.update

    def interrupted(self: tune.Tuner, loss: torch.Tensor) -> None:
        if self.step == 2:
            raise KeyboardInterrupt
        update(self, loss)

    with monkeypatch.context() as patched:
        patched.setattr(tune.Tuner, "update", interrupted)
        assert run(patched, "--data", data, "--out", parts) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not (parts / "open_clip_model.safetensors").exists()
    assert run(monkeypatch, "--data", data, "--out", parts) == 0
    assert "goes on at step 2 of 4" in (parts / "train.log").read_text()

    expected, resumed = (load_file(folder / "open_clip_model.safetensors") for folder in (whole, parts))
    assert expected.keys() == resumed.keys()
    assert [name for name in expected if not torch.equal(expected[name], resumed[name])] == []

    loaded, _, _ = open_clip.create_model_and_transforms(f"local-dir:{whole}")
    assert isinstance(loaded, open_clip.CLIP)
    assert open_clip.get_tokenizer(f"local-dir:{whole}")(["a photo of an apple."]).shape == (1, 32)
    assert len(np.load(whole / "calibration.npz")["images"]) == IMAGES // 2


def test_a_folder_of_another_run_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "run.json").write_text('{"data_sha256": "0", "seed": 0}')
    assert run(monkeypatch, "--data", data, "--out", tmp_path) == 1
    assert "other data or another seed" in capsys.readouterr().err


def test_missing_data_is_a_message_and_no_stack_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--data", tmp_path / "nothing.npz", "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert "nothing.npz: no such file" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_trunk_and_head_give_the_same_as_the_clip_that_they_are_written_to() -> None:
    torch.manual_seed(0)
    clip = create()
    prompts = label_prompts(clip, prompt_tokens(clip.context_length)[:2])
    late = LateTrunk(clip.visual.trunk)
    with torch.no_grad():
        for parameter in late.parameters():
            parameter.mul_(1 + 0.05 * torch.randn_like(parameter))
    head = Head(torch.rand(1280), 0.5 + torch.rand(1280), prompts, train.HIDDEN, 2.0, 1.0).eval()
    maps = torch.randn(3, 120, 13, 13)
    late.write_to(clip.visual.trunk)
    head.write_to(clip.visual.head.mlp)
    trunk = clip.visual.trunk
    with torch.no_grad():
        features = late(maps)
        theirs = trunk.global_pool(trunk.bn2(trunk.conv_head(trunk.blocks[5:](maps))))
        embeddings = torch.nn.functional.normalize(clip.visual.head(theirs), dim=-1)
        torch.testing.assert_close(theirs, features, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(embeddings @ prompts.T, head(features), rtol=1e-3, atol=1e-4)


def test_the_calibrated_scale_is_the_one_that_gave_the_labels() -> None:
    generator = torch.Generator().manual_seed(0)
    cosines = 2 * torch.rand(20_000, 10, generator=generator) - 1
    labels = torch.multinomial(torch.softmax(12 * cosines, dim=1), 1, generator=generator)[:, 0]
    assert train.calibrated_scale(cosines, labels) == pytest.approx(12, abs=0.5)
