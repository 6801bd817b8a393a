"""Refuses a model that open_clip does not have, or whose license needs the user's word, before gigabytes are installed.

    python -m local.model_names --model ViT-B-32-256 --pretrained datacomp_s34b_b86k

``licenses.json`` of the export holds the names that open_clip 3.3.0 has weights for, each with its tags.
"""

import argparse
import difflib
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from backend.clip.export.licenses import WEIGHTS, LicenseError, require_license

# Their tokenizers are of kinds that the export does not take.
_OTHERS = ("*roberta-*", "nllb-*", "*-CLIPA*", "*-worldwide*")
MODELS = {name: tags for name, tags in WEIGHTS.items() if not any(fnmatchcase(name, other) for other in _OTHERS)}
_FORMS = ("local-dir:", "hf-hub:")


class UnknownModel(Exception):
    """There is no such model. The message names the nearest ones."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.model_names", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--pretrained", default="")
    parser.add_argument("--accept-license", action="store_true")
    arguments = parser.parse_args()
    try:
        require(arguments.model, arguments.pretrained)
        require_license(arguments.model, arguments.pretrained, accepted=arguments.accept_license)
    except (UnknownModel, LicenseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def require(model: str, pretrained: str) -> None:
    """Check that a model is a folder, a repository, or a name of open_clip with one of its tags.

    The export checks what is inside a folder, a repository or a file of weights.

    Raises:
        UnknownModel: it is none of these.
    """
    folder = model.removeprefix("local-dir:")
    if folder != model and not Path(folder).is_dir():
        raise UnknownModel(f"There is no folder {folder}.")
    if model.startswith(_FORMS) or Path(pretrained).is_file():
        return
    if model not in MODELS:
        raise UnknownModel(
            f"open_clip has no weights for MODEL={model}.{_nearest(model, [*MODELS, 'bundled'])}\n"
            "MODEL may also be local-dir:FOLDER or hf-hub:ORGANIZATION/REPOSITORY."
        )
    if pretrained not in MODELS[model]:
        given = f"has no weights PRETRAINED={pretrained}" if pretrained else "needs PRETRAINED"
        raise UnknownModel(
            f"{model} {given}.{_nearest(pretrained, MODELS[model])}\nIts weights are: {', '.join(MODELS[model])}."
        )


def _nearest(name: str, names: Sequence[str]) -> str:
    """A sentence with the names that differ in few letters, or else with some that contain the given one."""
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, cutoff=0.7)
    near = near or [known for known in lower if name and name.lower() in known][:3]
    return f" The nearest: {', '.join(lower[known] for known in near)}." if near else ""


if __name__ == "__main__":
    sys.exit(main())
