"""Reading CIFAR-100 in its two forms, and the split."""

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from training.data import DataError, read_cifar100, split

IMAGES = np.random.default_rng(0).integers(0, 256, size=(6, 32, 32, 3), dtype=np.uint8)
FINE = [3, 99, 0, 41, 41, 7]


def archive(path: Path, fine_labels: list[int] = FINE) -> Path:
    """The official archive's layout: dictionaries with bytes for keys, rows of red, then green, then blue, pickled by
    a NumPy of its time."""
    rows = IMAGES.transpose(0, 3, 1, 2).reshape(len(IMAGES), -1)
    batch = {b"data": rows, b"fine_labels": fine_labels, b"coarse_labels": [0] * 6, b"filenames": [b"x.png"] * 6}
    with tarfile.open(path, "w:gz") as packed:
        for part in ("train", "test"):
            content = pickle.dumps(batch, protocol=2).replace(b"numpy._core", b"numpy.core")
            member = tarfile.TarInfo(f"cifar-100-python/{part}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def test_reads_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", images=IMAGES, labels=np.array(FINE, dtype=np.uint8))
    data = read_cifar100(tmp_path / "c.npz")
    np.testing.assert_array_equal(data.images, IMAGES)
    assert data.labels.tolist() == FINE
    assert data.labels.dtype == np.int64


@pytest.mark.parametrize("part", ["train", "test"])
def test_reads_the_official_archive_packed_and_unpacked(tmp_path: Path, part: str) -> None:
    packed = archive(tmp_path / "cifar-100-python.tar.gz")
    unpacked = tmp_path / "cifar-100-python"
    unpacked.mkdir()
    with tarfile.open(packed) as opened:
        for member in opened:
            content = opened.extractfile(member)
            assert content is not None
            (tmp_path / member.name).write_bytes(content.read())
    for path in (packed, unpacked):
        data = read_cifar100(path, part)
        np.testing.assert_array_equal(data.images, IMAGES)
        assert data.labels.tolist() == FINE


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "ran"),))  # type: ignore[return-value]

    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    (folder / "test").write_bytes(pickle.dumps({b"data": Evil(), b"fine_labels": [0]}))
    with pytest.raises(DataError, match="has no place in CIFAR-100"):
        read_cifar100(folder, "test")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": IMAGES}, "not an NPZ file with"),
        ({"images": IMAGES.astype(np.float32), "labels": np.array(FINE)}, "images are float32"),
        ({"images": IMAGES, "labels": np.array(FINE[:2])}, "labels are int64 \\[2\\]"),
        ({"images": IMAGES, "labels": np.array(FINE) + 1}, "not all in 0..99"),
    ],
)
def test_says_what_is_wrong_with_an_npz(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(tmp_path / "c.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=message):
        read_cifar100(tmp_path / "c.npz")


@pytest.mark.parametrize("name", ["c.npz", "c.tar.gz"])
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not data")
    with pytest.raises(DataError, match=r"not (an NPZ|the official)"):
        read_cifar100(tmp_path / name)


def test_a_missing_path_is_an_error_that_says_where_data_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such file.*cs\.toronto\.edu"):
        read_cifar100(tmp_path / "nothing.npz")


def test_the_split_is_disjoint_complete_and_always_the_same() -> None:
    train, validation = split(49_990)
    assert len(validation) == 5000
    assert sorted([*train, *validation]) == list(range(49_990))
    np.testing.assert_array_equal(validation, split(49_990)[1])


def test_a_small_set_keeps_half_for_training() -> None:
    assert [len(part) for part in split(21)] == [11, 10]
