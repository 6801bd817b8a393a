"""The offsets that photographs give, and the checkpoint that they are written into."""

import shutil
from pathlib import Path

import pytest
import skimage.data
import torch
from PIL import Image
from safetensors.torch import load_file

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.source import CLASSES
from backend.clip.export.words import read_words
from training import offsets
from training.photos import Photo
from training.step6_fine_classes import sharp_offsets

CHECKPOINT = Path("training/checkpoint")
CLASS_COUNT = 1100
DOLPHIN, SHARK = (1000 + LABELS.index(label) for label in ("dolphin", "shark"))


def test_a_thing_that_is_called_another_is_lifted_above_it_and_the_rest_stays() -> None:
    logits = torch.zeros(40, CLASS_COUNT, dtype=torch.float64)
    logits[:, SHARK], logits[:, DOLPHIN] = 8.0, 7.0
    answers = torch.zeros(40, CLASS_COUNT, dtype=torch.bool)
    answers[:, DOLPHIN] = True
    sharp, small = torch.ones(40, 1), torch.zeros(40, 1)

    fitted = offsets.fit_offsets(logits, sharp, answers, ridge=3.0)

    lifted, lowered = fitted[DOLPHIN - 1000], fitted[SHARK - 1000]
    assert lifted - lowered > 1
    assert fitted.abs().topk(3).values[2] < 0.01
    stronger = offsets.fit_offsets(logits, sharp, answers, ridge=300.0)
    assert 0 < stronger[DOLPHIN - 1000] < lifted / 2
    assert offsets.fit_offsets(logits, small, answers, ridge=3.0).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("photo", "right", "wrong"),
    [
        (Photo(Path(), "public", "dolphin", "dolphin"), {DOLPHIN}, {SHARK, 3}),
        (Photo(Path(), "imagenet-sample", "tench", ""), {0}, {1, DOLPHIN}),
        (Photo(Path(), "public", "okapi", ""), {0, 999}, {DOLPHIN, SHARK, 3}),
    ],
)
def test_what_is_right_for_a_photograph(photo: Photo, right: set[int], wrong: set[int]) -> None:
    answer = offsets.right_classes(photo, read_words(), CLASS_COUNT)
    assert all(answer[position] for position in right)
    assert not any(answer[position] for position in wrong)


def test_the_checkpoint_keeps_all_but_the_offsets_and_a_second_call_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, photos = tmp_path / "clip", tmp_path / "photos"
    shutil.copytree(CHECKPOINT, checkpoint)
    photos.mkdir()
    Image.fromarray(skimage.data.rocket()).save(photos / "rocket.png")  # type: ignore[no-untyped-call]
    (photos / "index.tsv").write_text("file\tsource\twhat\tlabel\nrocket.png\tpublic\trocket\twhale\n")
    arguments = ["offsets", "--checkpoint", str(checkpoint), "--photos", str(photos)]
    monkeypatch.setattr("sys.argv", arguments)

    assert offsets.main() == 0

    before, after = load_file(CHECKPOINT / CLASSES), load_file(checkpoint / CLASSES)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before if name != "sharp.bias")
    moved = after["sharp.bias"] - sharp_offsets().half()
    assert moved.argmax() == LABELS.index("whale")
    assert offsets.main() == 0
    assert torch.equal(load_file(checkpoint / CLASSES)["sharp.bias"], after["sharp.bias"])


def test_a_folder_without_a_checkpoint_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (40, 40)).save(photos / "whale__black.png")
    monkeypatch.setattr("sys.argv", ["offsets", "--checkpoint", str(tmp_path), "--photos", str(photos)])
    assert offsets.main() == 1
    assert "Could not load" in capsys.readouterr().err
