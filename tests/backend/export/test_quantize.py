"""int8 is written with photographs of the caller's, and only if it answers as the float model does."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from backend.clip.export import quantize as module
from backend.clip.export.quantize import quantize
from backend.clip.recognition.recognizer import Recognizer
from tests.pictures import encoded, photo


@pytest.fixture
def folder(exported: dict[str, Path], tmp_path: Path) -> Path:
    return shutil.copytree(exported["vit"], tmp_path / "model")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "below").mkdir()
    for seed in range(40):
        (folder / ("below" if seed % 2 else ".") / f"{seed}.jpg").write_bytes(encoded(photo((90, 70), seed), "JPEG"))
    (folder / "index.tsv").write_text("no photograph")
    return folder


def test_the_quantized_tower_stands_beside_the_float_one(
    folder: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MIN_AGREEMENT", 0)  # the labels of random weights lie side by side
    checked = quantize(folder, photos)

    assert checked.images == 20
    assert checked.cosine >= 0.99
    sizes = [(folder / name).stat().st_size for name in ("image.bin", "image.int8.bin")]
    assert sizes[1] < 0.8 * sizes[0]
    floating, quantized = (Recognizer(folder, precision=name) for name in ("f32", "int8"))
    pixels = np.asarray(photo((64, 64), 99))
    one, other = floating.embed(pixels).embedding, quantized.embed(pixels).embedding
    assert 0.99 <= float(one @ other) < 0.999999
    maps = [recognizer.embed(pixels, with_map=True).map for recognizer in (floating, quantized)]
    assert maps[0] is not None
    assert maps[1] is not None
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > 0.98


def test_a_tower_that_disagrees_is_refused(
    folder: Path, photos: Path, exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_another(folder: Path, _pixels: object) -> None:
        for end in ("xml", "bin"):
            shutil.copy(exported["resnet"] / f"image.{end}", folder / f"image.int8.{end}")

    monkeypatch.setattr(module, "_write", write_another)
    with pytest.raises(ValueError, match=r"not written: int8: the best label of f32 for 0\.\d+ of 20 photographs"):
        quantize(folder, photos)


def test_a_few_photographs_are_too_few(folder: Path, photos: Path) -> None:
    with pytest.raises(ValueError, match=r"at least 40 photographs; .*below has 20"):
        quantize(folder, photos / "below")
