"""``python -m local.model_names``: tells a misspelt model before anything is installed for it."""

from pathlib import Path

import pytest

from local.model_names import MODELS
from tests.launch import run


@pytest.mark.parametrize(
    ("model", "pretrained"),
    [
        ("ViT-B-32", "datacomp_xl_s13b_b90k"),
        ("ViT-B-32-quickgelu", "openai"),
        ("EVA02-B-16", "merged2b_s8b_b131k"),
        ("hf-hub:timm/PE-Core-B-16", ""),
        ("local-dir:training/checkpoint", ""),
        ("ViT-B-32", "README.md"),  # a file: the export looks into it
    ],
)
def test_what_may_exist_passes(model: str, pretrained: str) -> None:
    ended = run("local.model_names", "--model", model, "--pretrained", pretrained)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("model", "pretrained", "named"),
    [
        ("ViT-B32", "", "ViT-B-32, "),
        ("vit-b-32-quickgelu", "openai", "ViT-B-32-quickgelu"),
        ("bundeld", "", "bundled"),
        ("nothing like it", "", "hf-hub:"),
        ("ViT-B-32", "datacomp_xl_s13b", "nearest: datacomp_xl_s13b_b90k"),
        ("EVA02-B-16", "", "needs PRETRAINED.\nIts weights are: merged2b_s8b_b131k."),
        ("local-dir:no/such/folder", "", "no folder no/such/folder"),
    ],
)
def test_what_cannot_exist_is_refused_with_the_nearest(model: str, pretrained: str, named: str) -> None:
    ended = run("local.model_names", "--model", model, "--pretrained", pretrained)
    assert ended.returncode == 1
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_license_that_forbids_commercial_use_needs_to_be_accepted() -> None:
    arguments = ("local.model_names", "--model", "MobileCLIP2-S0", "--pretrained", "dfndr2b")
    ended = run(*arguments)
    assert ended.returncode == 1
    assert "apple-amlr" in ended.stderr
    assert "ACCEPT_LICENSE=1" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert run(*arguments, "--accept-license").returncode == 0


def test_the_list_is_what_open_clip_has_and_the_export_takes() -> None:
    import open_clip

    from backend.clip.export.source import ExportError, require_known_kind

    def exportable(name: str) -> bool:
        try:
            require_known_kind(name)
        except ExportError:
            return False
        return True

    weights = {name: sorted(open_clip.list_pretrained_tags_by_model(name)) for name in open_clip.list_models()}
    expected = {name: tags for name, tags in weights.items() if tags and exportable(name)}
    assert {name: sorted(tags) for name, tags in MODELS.items()} == expected


def test_the_document_names_the_version_that_the_list_is_of() -> None:
    requirements = Path("backend/clip/requirements-export.txt").read_text(encoding="utf-8")
    version = next(line.split("==")[1] for line in requirements.splitlines() if line.startswith("open-clip-torch"))
    assert f"open_clip {version} " in Path("local/model_names.py").read_text(encoding="utf-8")
