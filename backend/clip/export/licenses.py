"""Under which license the weights of a model are, and whether that allows commercial use. Needs nothing installed.

    python -m backend.clip.export.licenses --model MobileCLIP2-S0 --pretrained dfndr2b [--accept-license]

``licenses.json`` is a list of families of weights: a license, where it stands, the repositories on the Hugging Face Hub
(patterns), and all of open_clip's names with their tags. What open_clip has is in exactly one family.
"""

import argparse
import fnmatch
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FAMILIES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("licenses.json").read_text(encoding="utf-8"))
_HUB = "hf-hub:"
UNKNOWN = "unknown"

WEIGHTS: dict[str, list[str]] = {}
"""The tags of each of open_clip's names."""
for _family in _FAMILIES:
    for _name, _tags in _family["weights"].items():
        WEIGHTS.setdefault(_name, []).extend(_tags)


class LicenseError(Exception):
    """The weights must not be taken without the user's word. The message names the license."""


@dataclass(frozen=True)
class License:
    name: str
    """An SPDX identifier where there is one, ``UNKNOWN`` if nobody has looked it up."""
    source: str
    """The address where it stands."""
    commercial: bool
    """Whether it allows commercial use."""


def license_of(model: str, pretrained: str | None) -> License | None:
    """The license of a model's weights; None for a folder or a file, which are the user's own.

    Args:
        model: a name of open_clip, ``local-dir:PATH`` or ``hf-hub:ORGANIZATION/REPOSITORY``.
        pretrained: a tag of open_clip or a file, with a name of open_clip.
    """
    if model.startswith(_HUB):
        repository = model.removeprefix(_HUB).partition("@")[0]
        for family in _FAMILIES:
            if any(fnmatch.fnmatchcase(repository, pattern) for pattern in family["repositories"]):
                return _read(family)
        return License(UNKNOWN, f"https://huggingface.co/{repository}", commercial=False)
    tag = (pretrained or "").lower().replace("-", "_")  # as open_clip spells them
    return next((_read(family) for family in _FAMILIES if tag in family["weights"].get(model, ())), None)


def require_license(model: str, pretrained: str | None, *, accepted: bool) -> str:
    """The name of the license of a model's weights.

    Args:
        accepted: whether the user keeps to a license that forbids commercial use, or that is not known here.

    Raises:
        LicenseError: it forbids commercial use or is not known, and is not accepted.
    """
    found = license_of(model, pretrained)
    if found is None:
        return UNKNOWN
    if found.commercial or accepted:
        return found.name
    title = model if model.startswith(_HUB) else f"{model} {pretrained}"
    what = "not known here" if found.name == UNKNOWN else f"{found.name}, which forbids commercial use"
    raise LicenseError(
        f"The license of {title} is {what}: {found.source}\n"
        "If you have read it and keep to it: --accept-license, or ACCEPT_LICENSE=1 for make and as a build argument."
    )


def _read(family: dict[str, Any]) -> License:
    return License(family["license"], family["source"], family.get("commercial", True))


def main() -> int:
    parser = argparse.ArgumentParser(prog="licenses", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--pretrained", default="")
    parser.add_argument("--accept-license", action="store_true", help="take weights that are not for commercial use")
    arguments = parser.parse_args()
    try:
        require_license(arguments.model, arguments.pretrained, accepted=arguments.accept_license)
    except LicenseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
