"""Other labels for the bundled model, chosen among its everyday words. Needs nothing but Python.

    python -m backend.clip.export.relabel --model backend/clip/model --labels FILE --out DIR

The folder is the same model with other labels in ``model.json``. A model that compares embeddings has to be exported
again: ``python -m backend.clip.export --labels FILE``.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

from ..recognition.spelling import Names
from .lists import read_labels

_MANIFEST, _EVERYDAY, _EMBEDDINGS = "model.json", "everyday.json", "labels.npy"


def relabel(model: Path, labels: tuple[str, ...], out: Path) -> None:
    """Write the exported model folder ``model`` with other labels to ``out``.

    Raises:
        ValueError: a label is none of the model's everyday words, or the model has none that are sets of classes.
    """
    try:
        words = json.loads((model / _EVERYDAY).read_text(encoding="utf-8"))["words"]
    except FileNotFoundError as error:
        raise ValueError(f"{model} is not an exported model with everyday words.") from error
    if "classes" not in words[0]:
        raise ValueError(f"{model} compares embeddings: export it again with these labels.")
    known = Names([word["word"], *word["also"]] for word in words)
    if unknown := [label for label in labels if known.find(label) < 0]:
        near = known.near(unknown[0])
        more = f" (near: {', '.join(near)})" if near else ""
        raise ValueError(
            f"This model does not know: {unknown[0]}{more}. It does not know {len(unknown)} of the labels."
        )
    manifest = json.loads((model / _MANIFEST).read_text(encoding="utf-8"))
    if "files" not in manifest:
        raise ValueError(f"{model} was exported by another version: export the model again.")
    files = {name: digest for name, digest in manifest["files"].items() if name != _EMBEDDINGS}
    shutil.copytree(model, out, ignore=shutil.ignore_patterns(_EMBEDDINGS))
    # The coverage was calibrated for the labels that the model had.
    manifest |= {"labels": labels, "files": files, "confidence": manifest["confidence"] | {"coverage": None}}
    (out / _MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="relabel", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True, type=Path, help="an exported model folder")
    parser.add_argument("--labels", required=True, help="a text file with one label a line, or cifar100")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write, which is not there yet")
    arguments = parser.parse_args()
    try:
        relabel(arguments.model, read_labels(arguments.labels), arguments.out)
    except (OSError, ValueError) as error:
        print(f"relabel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
