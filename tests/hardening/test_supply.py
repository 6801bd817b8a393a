"""What is taken in from elsewhere: packages by hash, weights by revision and hash."""

import hashlib
import json
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.checkpoints import TEXT, VISION, write_checkpoint
from tests.launch import PROJECT

LOCKS = {
    "frontend/index/requirements.lock": ["template/python3/requirements.txt", "frontend/index/requirements.txt"],
    "backend/clip/requirements.lock": ["template/python3-debian/requirements.txt", "backend/clip/requirements.txt"],
    "backend/clip/requirements-export.lock": ["backend/clip/requirements.txt", "backend/clip/requirements-export.txt"],
    "tests/requirements.lock": [
        *("template/python3/requirements.txt", "frontend/index/requirements.txt", "backend/clip/requirements.txt"),
        *("backend/clip/requirements-export.txt", "local/requirements.txt", "client/requirements.txt"),
        *("tests/requirements.txt", "training/requirements.txt", "benchmarks/requirements.txt"),
    ],
}
EXCLUDED = {
    "backend/clip/requirements.lock": "backend/clip/requirements-excluded.txt",
    "backend/clip/requirements-export.lock": "backend/clip/requirements-export-excluded.txt",
    "tests/requirements.lock": "backend/clip/requirements-export-excluded.txt",
}
WITHOUT_TORCH = ("backend/clip/requirements-export.lock", "tests/requirements.lock")
TORCH = "backend/clip/requirements-torch"


def requirements(path: str) -> list[Requirement]:
    lines = (PROJECT / path).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    return [Requirement(line.partition("--hash")[0]) for line in lines if line and not line.startswith(("#", "-r "))]


def pins(path: str) -> dict[str, str]:
    return {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in requirements(path)}


def excluded(lock: str) -> set[str]:
    return set(pins(EXCLUDED[lock])) if lock in EXCLUDED else set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_the_requirements_pin_and_all_that_these_need(lock: str) -> None:
    locked = pins(lock)
    elsewhere = excluded(lock) | (set(pins(f"{TORCH}.lock")) if lock in WITHOUT_TORCH else set())
    for path in LOCKS[lock]:
        assert locked.items() >= pins(path).items(), f"make lock: {path} has changed"
    here = [each.name for each in requirements(lock) if each.marker is None or each.marker.evaluate()]
    for name in here:
        for requirement in map(Requirement, distribution(name).requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in locked.keys() | elsewhere, f"{name} needs it"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_hashes_and_comes_from_nowhere_in_particular(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in text.replace("\\\n", "").splitlines() if not entry.startswith("#")]
    assert all(re.fullmatch(r"\S+==\S+( ; [^-]+)?( +--hash=sha256:[0-9a-f]{64})+\s*", entry) for entry in entries)
    assert "://" not in text
    assert not excluded(lock) & set(pins(lock))


def test_pytorch_is_locked_apart_from_what_comes_from_the_package_index() -> None:
    torch = {"torch", "torchvision"}
    assert pins(f"{TORCH}.lock") == pins(f"{TORCH}.txt")
    assert pins(f"{TORCH}.lock").keys() == torch
    for lock in WITHOUT_TORCH:
        assert not torch & pins(lock).keys()


def test_what_exports_and_tests_is_what_serves() -> None:
    """A package that is installed twice has one version: the model is compared with open_clip by the code that serves
    it, and what the tests have seen is what an image holds."""
    tested = pins("tests/requirements.lock")
    for lock in LOCKS:
        assert pins(lock).items() <= tested.items(), lock


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """open_clip knows a small architecture with a tag, and finds its weights on a hub that gives this file."""
    import open_clip

    write_checkpoint(tmp_path / "weights", "vit")
    weights = tmp_path / "weights" / "open_clip_model.safetensors"
    config = {"embed_dim": 64, "vision_cfg": VISION["vit"], "text_cfg": TEXT}
    (tmp_path / "recorded-tiny.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "recorded-tiny.json")
    tag = {"hf_hub": "somebody/tiny/", "mean": (0.5,) * 3, "std": (0.25,) * 3, "interpolation": "bilinear"}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "recorded-tiny", {"first": tag})

    def download(repo_id: str, filename: str, revision: str, cache_dir: None) -> str:
        if (repo_id, filename, revision) != ("somebody/tiny", "open_clip_model.safetensors", "c0ffee"):
            raise FileNotFoundError(filename)
        return str(weights)

    monkeypatch.setattr(open_clip.pretrained, "hf_hub_download", download)
    return weights


def test_recorded_weights_are_downloaded_at_their_revision_and_checked(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.clip.export.source import KNOWN, Known, load

    sha256 = hashlib.sha256(hub.read_bytes()).hexdigest()
    monkeypatch.setitem(KNOWN, ("recorded-tiny", "first"), Known("c0ffee", sha256))

    source = load("recorded-tiny", "first")

    assert source.weights_sha256 == sha256
    assert source.model.visual.preprocess_cfg["interpolation"] == "bilinear"


def test_other_weights_than_the_recorded_are_not_loaded(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.clip.export.source import KNOWN, ExportError, Known, load

    sha256 = hashlib.sha256(hub.read_bytes()).hexdigest()
    monkeypatch.setitem(KNOWN, ("recorded-tiny", "first"), Known("c0ffee", "0" * 64))

    with pytest.raises(ExportError, match=f"{sha256}.*{'0' * 64}"):
        load("recorded-tiny", "first")


def test_what_is_recorded_is_what_open_clip_has() -> None:
    import open_clip

    from backend.clip.export.source import KNOWN

    for (name, tag), known in KNOWN.items():
        assert open_clip.get_pretrained_cfg(name, tag)["hf_hub"].endswith("/")
        assert re.fullmatch(r"[0-9a-f]{40}", known.revision)
        assert re.fullmatch(r"[0-9a-f]{64}", known.sha256)
