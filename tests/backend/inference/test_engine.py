"""What the engine does with memory, asked of the system."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from backend.clip.inference.engine import Runner, compile_tower, ops, ov
from backend.clip.inference.precision import available
from tests.checkpoints import VISION
from tests.pictures import photo

SMAPS = Path("/proc/self/smaps")


def resident(file: Path) -> list[int]:
    """KB of each mapping of ``file`` into this process that are in memory."""
    found, named = [], False
    for line in SMAPS.read_text().splitlines():
        key, *rest = line.split()
        if not key.endswith(":"):
            named = line.endswith(str(file))
        elif named and key == "Rss:":
            found.append(int(rest[0]))
    return found


@pytest.mark.skipif(not SMAPS.exists(), reason="/proc is Linux's")
def test_the_weights_in_the_file_do_not_stay_in_memory_beside_the_compiled_ones(exported: dict[str, Path]) -> None:
    path = exported["vit"] / "image.xml"
    model = compile_tower(path, batch=1)
    pixels = np.full((1, 64, 64, 3), 7, np.uint8)

    first = model([pixels])[0].copy()

    assert set(resident(path.with_suffix(".bin").resolve())) == {0}
    np.testing.assert_array_equal(model([pixels])[0], first)


@pytest.mark.skipif(not SMAPS.exists(), reason="/proc is Linux's")
@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_nor_do_those_of_a_tower_for_texts_of_any_length(precision: str, tmp_path: Path) -> None:
    if precision not in available():
        pytest.skip(f"this processor does not compute in {precision}")
    path = tmp_path / "text.xml"
    texts = ops.parameter([-1, -1, 512], ov.Type.f32)
    weights = np.random.default_rng(0).standard_normal((2048, 512), np.float32)
    product = ops.matmul(texts, ops.constant(weights), False, True)
    ov.save_model(ov.Model([product], [texts]), path, compress_to_fp16=True)
    some = np.ones((3, 7, 512), np.float32)

    tower = Runner(compile_tower(path, precision=precision, example=[some[:1, :2]]))

    np.testing.assert_allclose(tower.infer([some])[0][0, 0], weights.sum(axis=1), atol=1)
    widened = Path(" (deleted)")
    assert sum(resident(path.with_suffix(".bin")) + resident(widened)) < weights.nbytes / 1024 / 10


@pytest.mark.parametrize("kind", VISION)
def test_an_image_has_the_same_embedding_whatever_came_before(kind: str, exported: dict[str, Path]) -> None:
    tower = Runner(compile_tower(exported[kind] / "image.xml", batch=1))
    size = VISION[kind]["image_size"]
    images = [np.asarray(photo((size, size), seed))[np.newaxis] for seed in range(3)]
    expected = [tower.infer([image])[0].copy() for image in images]

    for image, embedding in [*zip(images[::-1], expected[::-1], strict=True), (images[0], expected[0])]:
        np.testing.assert_array_equal(tower.infer([image])[0], embedding)
    assert not np.array_equal(expected[0], expected[1]), "the images must be told apart"


def test_any_batch_gives_what_one_image_gives(exported: dict[str, Path]) -> None:
    path = exported["vit"] / "image.xml"
    pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
    one_by_one = compile_tower(path, batch=1)
    expected = np.concatenate([one_by_one([image[np.newaxis]])[0] for image in pixels])

    any_batch = compile_tower(path)

    for size in (5, 1, 3):
        np.testing.assert_allclose(any_batch([pixels[:size]])[0], expected[:size], atol=1e-5)


def test_without_room_for_wider_weights_the_answers_are_the_same(
    exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = exported["vit"] / "image.xml"
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    expected = compile_tower(path)([pixels])[0].copy()

    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/nowhere")

    np.testing.assert_allclose(compile_tower(path)([pixels])[0], expected, atol=1e-5)
    assert "no room for widened weights" in caplog.text
