"""The licenses of weights: every tag of open_clip has one, and what is not for commercial use needs the user's word."""

import json
import subprocess
import sys
from pathlib import Path

import open_clip
import pytest

from backend.clip.export.licenses import UNKNOWN, WEIGHTS, LicenseError, license_of, require_license
from tests.launch import PROJECT

TAGS = [(name, tag) for name, tag in open_clip.list_pretrained()]
FAMILIES = json.loads((PROJECT / "backend/clip/export/licenses.json").read_text(encoding="utf-8"))
AMLR = "Apple Machine Learning Research Model License"
NOT_COMMERCIAL = [
    ("MobileCLIP2-S0", "dfndr2b", AMLR),
    ("MobileCLIP-B", "datacompdr_lt", AMLR),
    ("ViT-B-16", "dfn2b", AMLR),
    ("ViT-B-16", "DFN2B", AMLR),  # open_clip takes it in this spelling too
    ("ViT-H-14-378-quickgelu", "dfn5b", AMLR),
    ("ViT-B-32-quickgelu", "metaclip_400m", "CC-BY-NC-4.0"),
    ("ViT-H-14-worldwide", "metaclip2_worldwide", "CC-BY-NC-4.0"),
    ("nllb-clip-base-siglip", "mrl", "CC-BY-NC-4.0"),
    ("hf-hub:jinaai/jina-clip-v2", None, "CC-BY-NC-4.0"),
    ("hf-hub:apple/MobileCLIP-S1-OpenCLIP@main", None, AMLR),
]


def test_every_tag_of_open_clip_is_in_one_family() -> None:
    listed = [(name, tag) for family in FAMILIES for name, tags in family["weights"].items() for tag in tags]
    assert sorted(listed) == sorted(TAGS)
    assert sorted((name, tag) for name, tags in WEIGHTS.items() for tag in tags) == sorted(TAGS)
    assert len(TAGS) > 150


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family["source"])
def test_a_family_says_where_its_license_stands(family: dict[str, object]) -> None:
    assert set(family) - {"commercial"} == {"license", "source", "repositories", "weights"}
    assert str(family["source"]).startswith("https://")
    assert family["license"] in ("MIT", "Apache-2.0") or family["commercial"] is False


def test_a_repository_has_the_license_of_the_tag_that_stands_for_it() -> None:
    for name, tag in TAGS:
        organization, repository, *_ = open_clip.get_pretrained_cfg(name, tag)["hf_hub"].split("/")
        found = license_of(f"hf-hub:{organization}/{repository}", None)
        assert found is not None
        assert found == license_of(name, tag), (name, tag)


@pytest.mark.parametrize(("model", "pretrained", "license_name"), NOT_COMMERCIAL)
def test_what_is_not_for_commercial_use_needs_to_be_accepted(
    model: str, pretrained: str | None, license_name: str
) -> None:
    with pytest.raises(LicenseError) as refused:
        require_license(model, pretrained, accepted=False)
    for part in (model, license_name, "forbids commercial use: https://", "--accept-license", "ACCEPT_LICENSE=1"):
        assert part in str(refused.value)
    assert require_license(model, pretrained, accepted=True).startswith(license_name)


def test_a_repository_that_nobody_has_looked_at_needs_to_be_accepted() -> None:
    with pytest.raises(LicenseError, match=r"not known here: https://huggingface\.co/somebody/something\n"):
        require_license("hf-hub:somebody/something", None, accepted=False)
    assert require_license("hf-hub:somebody/something", None, accepted=True) == UNKNOWN


@pytest.mark.parametrize(
    ("model", "pretrained", "license_name"),
    [
        ("ViT-B-32-256", "datacomp_s34b_b86k", "MIT"),
        ("EVA02-B-16", "merged2b_s8b_b131k", "MIT"),
        ("PE-Core-B-16", "meta", "Apache-2.0"),
        ("hf-hub:timm/PE-Core-T-16-384", None, "Apache-2.0"),
        ("ViT-B-32-SigLIP2-256", "webli", "Apache-2.0"),
        ("local-dir:folder", None, UNKNOWN),
        ("ViT-B-32", "weights.safetensors", UNKNOWN),
        ("bundled", "none", UNKNOWN),
    ],
)
def test_the_others_are_taken_as_they_are(model: str, pretrained: str | None, license_name: str) -> None:
    assert require_license(model, pretrained, accepted=False) == license_name


@pytest.mark.parametrize(("accepted", "code"), [((), 1), (("--accept-license",), 0)])
def test_the_command_needs_nothing_installed(accepted: tuple[str, ...], code: int) -> None:
    """A build asks before it installs anything. ``-S -I``: no packages."""
    script = Path("backend/clip/export/licenses.py")
    command = [sys.executable, "-S", "-I", str(script), "--model", "ViT-B-16", "--pretrained", "dfn2b", *accepted]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert bool(ended.stderr) == bool(code)
    assert "Traceback" not in ended.stderr
