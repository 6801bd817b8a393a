"""Loads an open_clip model for the export, and refuses what open_clip would load wrongly."""

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
from open_clip.pretrained import download_pretrained_from_hf
from safetensors.torch import load_file

from .fine_classes import FineClasses
from .licenses import LicenseError, require_license

CLASSES = "classes.safetensors"
"""The file beside a checkpoint's weights that ``FineClasses`` is made from."""


@dataclass(frozen=True)
class Known:
    """The weights that open_clip has a tag for, when they were looked at."""

    revision: str
    """The commit of the repository on the Hugging Face Hub that open_clip takes the weights from."""
    sha256: str
    """Of ``open_clip_model.safetensors`` at that commit."""


KNOWN = {
    ("ViT-B-32", "datacomp_xl_s13b_b90k"): Known(
        "f0e2ffa09cbadab3db6a261ec1ec56407ce42912",
        "3c00043509d2e3f35ec62bd85a643a393883dcda624d8208d034cc390c708297",
    ),
    ("ViT-B-32-256", "datacomp_s34b_b86k"): Known(
        "4afec35ffe57a943d569ff7ee888061830164da8",
        "92c26d60d3200ed5ed040dff31a8d19f8140648da8007216c25744c478deef27",
    ),
    ("ViT-B-32-quickgelu", "openai"): Known(
        "a6f597a30f7b82c51704746581f9a4e41421e878",
        "e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
    ),
}


class ExportError(Exception):
    """The model cannot be exported; the message says why and what to do."""


@dataclass(frozen=True)
class Source:
    """A loaded open_clip model and what is known of it."""

    model: Any
    preprocess: Any
    tokenizer: Any
    name: str
    pretrained: str
    license: str
    weights_sha256: str
    classes: FineClasses | None
    """The image tower's second output, from ``CLASSES`` in a checkpoint folder."""


def load(model_name: str, pretrained: str | None, *, accept_license: bool = False) -> Source:
    """Load an open_clip model with its weights, in eval mode and without gradients.

    Args:
        model_name: an architecture of open_clip, ``local-dir:PATH`` or ``hf-hub:ORGANIZATION/REPOSITORY``.
        pretrained: a tag of open_clip or a weights file; only with an architecture's name.
        accept_license: take weights that are not for commercial use, or whose license is not known.

    Raises:
        ExportError: the license must be accepted first; the weights are missing, do not belong to this architecture,
            or are not what ``KNOWN`` records.
    """
    known = KNOWN.get((model_name, str(pretrained)))
    try:
        schema, identifier = open_clip.factory.parse_model_name(model_name)
        if schema is None and not pretrained:
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(model_name)) or "none: is the name right?"
            raise ExportError(f"{model_name} needs --pretrained: a weights file, or one of its tags ({tags}).")
        require_known_kind(model_name, schema)
        weights_license = require_license(model_name, pretrained, accepted=accept_license)
        if known is not None:
            _take_recorded(identifier, pretrained, known)
        with warnings.catch_warnings():
            # open_clip only warns and uses the wrong activation, and the model becomes less accurate.
            warnings.filterwarnings("error", message="QuickGELU mismatch")
            model, preprocess = open_clip.create_model_from_pretrained(model_name, pretrained, force_custom_text=True)
            tokenizer = open_clip.get_tokenizer(model_name)
        sha256 = _sha256(_weights_file(schema, identifier, pretrained))
        classes = _fine_classes(schema, identifier)
    except UserWarning as error:
        raise ExportError(
            f"{error} Use the architecture that the weights were trained with, "
            f"for example {model_name.removesuffix('-quickgelu')}-quickgelu for OpenAI's, MetaCLIP's and DFN's weights."
        ) from error
    except LicenseError as error:
        raise ExportError(str(error)) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise ExportError(
            f"Could not load {model_name}{f' with {pretrained}' if pretrained else ''}: {error}\n"
            "Without a network, copy a checkpoint here (open_clip_config.json and open_clip_model.safetensors in one "
            "folder) and export it as local-dir:FOLDER."
        ) from error
    name, tag = (model_name, str(pretrained)) if schema is None else (Path(identifier).name, schema)
    return Source(
        model.eval().requires_grad_(False),
        preprocess,
        tokenizer,
        name,
        tag,
        weights_license,
        sha256,
        classes,
    )


def require_known_kind(model_name: str, schema: str | None = None) -> None:
    """Refuse a model with another tokenizer before its weights are downloaded or its packages found missing.

    Raises:
        ExportError: for an architecture of open_clip whose tokenizer is of no kind that can be exported.
    """
    if schema is not None:
        return
    text = (open_clip.get_model_config(model_name) or {}).get("text_cfg", {})
    canonical = text.get("tokenizer_kwargs", {}).get("clean") == "canonicalize"
    if text.get("hf_model_name") or (text.get("hf_tokenizer_name") and not canonical):
        raise ExportError(
            f"{model_name} has neither the CLIP BPE tokenizer nor SigLIP's, "
            "which are the only kinds that can be exported."
        )


def _take_recorded(identifier: str, tag: str | None, known: Known) -> None:
    """Download the weights of a tag at the recorded revision, and make open_clip load these and no others."""
    config = open_clip.get_pretrained_cfg(identifier, tag)
    try:
        path = download_pretrained_from_hf(config["hf_hub"].rstrip("/"), revision=known.revision)
    except OSError as error:
        raise OSError(f"Failed to download weights for tag '{tag}': {error}") from error
    if (sha256 := _sha256(Path(path))) != known.sha256:
        raise ExportError(f"{path} has the sha256 {sha256}, but {known.sha256} is recorded: it is not loaded.")
    config["file"] = path  # open_clip prefers it to a download


def _weights_file(schema: str | None, identifier: str, pretrained: str | None) -> Path:
    """The file that open_clip has loaded; a download is in its cache by now."""
    if schema == "local-dir":
        return Path(open_clip.factory._find_checkpoint_in_dir(Path(identifier)))  # noqa: SLF001 - open_clip has no public way
    if schema == "hf-hub":
        return Path(download_pretrained_from_hf(identifier))
    config = open_clip.get_pretrained_cfg(identifier, pretrained)
    return Path(open_clip.download_pretrained(config) if config else str(pretrained))


def _fine_classes(schema: str | None, identifier: str) -> FineClasses | None:
    path = Path(identifier) / CLASSES
    return FineClasses(load_file(path)) if schema == "local-dir" and path.exists() else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
