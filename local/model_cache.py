"""Exports a model once, into a cache folder outside the sources, and prints where it is.

    python -m local.model_cache --model ViT-B-32-256 --pretrained datacomp_s34b_b86k
    python -m local.model_cache --model bundled --labels my-labels.txt --examples my-things

The last line on stdout is the folder for ``python -m local --model``. The export's own dependencies must be installed.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from backend.clip.export.licenses import LicenseError, require_license

PROJECT = Path(__file__).parent.parent
CLIP = PROJECT / "backend" / "clip"
BUNDLED = "bundled"
_LOCAL = "local-dir:"


class ModelError(Exception):
    """There is no model. The message says what was tried and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.model_cache", description="Exports a model once, into a cache."
    )
    parser.add_argument("--model", required=True, help="a name of open_clip, local-dir:FOLDER or hf-hub:ORG/REPOSITORY")
    parser.add_argument("--pretrained", default="", help="the tag of open_clip's weights, with a name of open_clip")
    parser.add_argument("--labels", default="", help="a text file with one label a line, instead of CIFAR-100's")
    parser.add_argument("--templates", default="", help="a text file with one prompt a line, {} for the label")
    parser.add_argument("--examples", default="", help="a folder with a subfolder of photos a thing, or a file of them")
    parser.add_argument("--accept-license", action="store_true", help="take weights that are not for commercial use")
    arguments = parser.parse_args()
    # Only a name of open_clip needs a tag: a folder and a repository contain weights.
    pretrained = "" if ":" in arguments.model else arguments.pretrained
    lists = {"--labels": arguments.labels, "--templates": arguments.templates}
    try:
        given = {option: path for option, path in lists.items() if path}
        plain = arguments.model == BUNDLED and not given
        accepts = arguments.accept_license
        folder = CLIP / "model" if plain else exported(arguments.model, pretrained, cache(), given, accepts)
        if arguments.examples:
            folder = taught(folder, Path(arguments.examples), cache())
    except (ModelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    print(folder)
    return 0


def cache() -> Path:
    """Where exported models are kept (XDG base directories)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "serverless-image-recognizer"


def exported(model: str, pretrained: str, folder: Path, lists: Mapping[str, str], accept_license: bool) -> Path:
    """The exported model in the cache, which is exported first if it is not there.

    Args:
        folder: the cache.
        lists: the export's options ``--labels`` and ``--templates``, each with a file.
        accept_license: take weights that are not for commercial use, or whose license is not known.

    Raises:
        ModelError, OSError: it cannot be exported, or its license has to be accepted.
    """
    try:
        require_license(model, pretrained, accepted=accept_license)
    except LicenseError as error:
        raise ModelError(str(error)) from error
    name = re.sub(r"[^\w.-]+", "-", f"{model}-{pretrained}").strip("-")
    target = folder / f"{name}-{_fingerprint(model, lists)}"
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as work:
            if model == BUNDLED:
                _relabel(lists, Path(work) / "model")
            else:
                _export(model, pretrained, Path(work) / "model", lists, accept_license)
            try:
                (Path(work) / "model").rename(target)
            except OSError:
                if not target.is_dir():  # unless another process was faster
                    raise
    return target


def taught(model: Path, examples: Path, folder: Path) -> Path:
    """The exported model with examples, in the cache, which learns them first if it is not there.

    Which of them are told apart is said on stderr.

    Args:
        model: an exported model folder.
        examples: a folder with a subfolder of photos a thing, or a file that a page has saved.
        folder: the cache.

    Raises:
        ModelError, OSError: they cannot be learned.
    """
    if not examples.exists():
        raise ModelError(f"There is no {examples}: EXAMPLES= is a folder with a subfolder of photos for each thing.")
    digest = hashlib.sha256((model / "model.json").read_bytes())
    for source in sorted([*(CLIP / "export").glob("*.py"), *(CLIP / "recognition").glob("*.py")]):
        digest.update(source.read_bytes())
    files = sorted(examples.rglob("*")) if examples.is_dir() else [examples]
    for file in files:
        about = file.stat() if file.exists() else None
        digest.update(f"{os.fsencode(file.resolve())!r} {about and (about.st_size, about.st_mtime_ns)}".encode())
    target = folder / f"examples-{digest.hexdigest()[:16]}"
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sys.stderr.write("Learning the examples, once ...\n")
        with tempfile.TemporaryDirectory(prefix=".examples-", dir=folder) as work:
            out = Path(work) / "model"
            command = [sys.executable, "-m", "backend.clip.export.teach", "--model", str(model.resolve())]
            command += ["--examples", str(examples.resolve()), "--out", str(out)]
            status = subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, check=False).returncode  # noqa: S603
            if status != 0:
                raise ModelError("The examples were not learned: the reason is above.")
            try:
                out.rename(target)
            except OSError:
                if not target.is_dir():  # unless another process was faster
                    raise
    sys.stderr.write((target / "examples.txt").read_text(encoding="utf-8"))
    return target


def _fingerprint(model: str, lists: Mapping[str, str]) -> str:
    """Eight digits that change with the exporter, the lists and, for a checkpoint on this computer, with its files."""
    digest = hashlib.sha256(os.fsencode(model))
    for option, path in lists.items():
        digest.update(option.encode() + Path(path).read_bytes())
    if model == BUNDLED:
        digest.update((CLIP / "model" / "model.json").read_bytes() + (CLIP / "model" / "image.bin").read_bytes())
    for source in sorted(file for kind in ("py", "txt", "json") for file in (CLIP / "export").glob(f"*.{kind}")):
        digest.update(source.read_bytes())
    if model.startswith(_LOCAL):
        for file in sorted(Path(model.removeprefix(_LOCAL)).resolve().rglob("*")):
            digest.update(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}".encode())
    return digest.hexdigest()[:8]


def _relabel(lists: Mapping[str, str], out: Path) -> None:
    if "--templates" in lists:
        raise ModelError("The bundled model has no text tower for other templates. Choose another with MODEL=.")
    command = [sys.executable, "-m", "backend.clip.export.relabel", "--model", str(CLIP / "model"), "--out", str(out)]
    labels = str(Path(lists["--labels"]).resolve())
    status = subprocess.run([*command, "--labels", labels], cwd=PROJECT, stdout=sys.stderr, check=False).returncode  # noqa: S603
    if status != 0:
        raise ModelError(
            "The bundled model knows its hundred labels and its everyday words only: GET /function/clip lists them.\n"
            "MODEL=ViT-B-32-256 PRETRAINED=datacomp_s34b_b86k takes any labels."
        )


def _export(model: str, pretrained: str, out: Path, lists: Mapping[str, str], accept_license: bool) -> None:
    if importlib.util.find_spec("open_clip") is None:
        raise ModelError(f"The export needs open_clip: pip install -r {CLIP / 'requirements-export.txt'}")
    if model.startswith(_LOCAL):
        model = _LOCAL + str(Path(model.removeprefix(_LOCAL)).resolve())
    title = f"{model} {pretrained}".strip()
    command = [sys.executable, "-m", "backend.clip.export", "--model", model, "--out", str(out)]
    command += ["--pretrained", pretrained] if pretrained else []
    command += ["--accept-license"] if accept_license else []
    for option, path in lists.items():
        command += [option, str(Path(path).resolve())]
    sys.stderr.write(f"Exporting {title}, once. Weights that are not on this computer are downloaded.\n")
    # Nothing but the folder is printed on stdout.
    status = subprocess.run(command, cwd=PROJECT, stdout=sys.stderr, check=False).returncode  # noqa: S603
    if status != 0 or not out.is_dir():
        raise ModelError(
            f"{title} was not exported: the reason is above.\n"
            "Without a network, or behind a proxy:\n"
            "  - MODEL=local-dir:FOLDER takes a checkpoint from this computer: open_clip_config.json and\n"
            "    open_clip_model.safetensors, from the model's page on https://huggingface.co;\n"
            "  - weights that Hugging Face's cache (HF_HOME) holds are used with HF_HUB_OFFLINE=1;\n"
            "  - without MODEL, the bundled model is served and nothing is downloaded."
        )


if __name__ == "__main__":
    sys.exit(main())
