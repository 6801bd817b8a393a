"""The training command on a tiny set of random images: what it writes, and that an interruption changes nothing."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file

from training import fit, train
from training.features import FEATURES, compile_trunk, extract
from training.head import Head, label_prompts, prompt_tokens
from training.model import create

IMAGES = 16


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


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["train", *map(str, arguments)])
    return train.main()


def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(monkeypatch, "--data", data, "--out", whole) == 0

    write = torch.save
    written: list[Path] = []

    def interrupted(state: dict[str, object], path: Path) -> None:
        if written:
            raise KeyboardInterrupt
        write(state, path)
        written.append(path)

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", interrupted)
        assert run(patched, "--data", data, "--out", parts) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not (parts / "open_clip_model.safetensors").exists()
    assert run(monkeypatch, "--data", data, "--out", parts) == 0
    assert "goes on after epoch 1 of 2" in (parts / "train.log").read_text()

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


def test_features_that_were_finished_are_not_computed_again(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, size=(10, 32, 32, 3), dtype=np.uint8)
    trunk = compile_trunk(create().visual.trunk, 64, 0.5, 0.5)
    features = extract(trunk, images, 64, tmp_path / "f.npy", progress=False)
    assert features.shape == (10, FEATURES)
    (tmp_path / "f.json").write_text("6")
    marked = np.load(tmp_path / "f.npy")
    marked[:6], marked[6:] = 7, 0
    np.save(tmp_path / "f.npy", marked)
    resumed = extract(trunk, images, 64, tmp_path / "f.npy", progress=False)
    assert (resumed[:6] == 7).all()
    np.testing.assert_allclose(resumed[6:], features[6:], rtol=1e-4, atol=1e-5)


def test_the_head_gives_the_same_as_the_clip_that_it_is_written_to() -> None:
    torch.manual_seed(0)
    clip = create()
    prompts = label_prompts(clip, prompt_tokens(clip.context_length)[:2])
    head = Head(torch.rand(FEATURES), 0.5 + torch.rand(FEATURES), prompts, train.HIDDEN, 2.0, 1.0)
    head.write_to(clip.visual.head.mlp)
    features = 2 * torch.rand(3, FEATURES)
    with torch.no_grad():
        embeddings = torch.nn.functional.normalize(clip.visual.head(features), dim=-1)
        torch.testing.assert_close(embeddings @ prompts.T, head(features), rtol=1e-3, atol=1e-4)


def test_the_calibrated_scale_is_the_one_that_gave_the_labels() -> None:
    generator = torch.Generator().manual_seed(0)
    cosines = 2 * torch.rand(20_000, 10, generator=generator) - 1
    labels = torch.multinomial(torch.softmax(12 * cosines, dim=1), 1, generator=generator)[:, 0]
    assert train.calibrated_scale(cosines, labels) == pytest.approx(12, abs=0.5)
