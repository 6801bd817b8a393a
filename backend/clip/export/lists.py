"""Reads lists of labels and of prompt templates: those of CIFAR-100, or those in a text file."""

from pathlib import Path

from ..limits import MAX_LABELS
from .cifar100 import LABELS, TEMPLATES

CIFAR100 = "cifar100"


def read_labels(name: str) -> tuple[str, ...]:
    """The labels that ``name`` stands for: ``cifar100``, or a text file with one a line.

    Raises:
        ValueError: there is no such file, or it has no labels, one of them twice, or too many.
    """
    labels = LABELS if name == CIFAR100 else lines(Path(name))
    if len({label.casefold() for label in labels}) < len(labels):
        raise ValueError(f"{name} has a label twice.")
    if len(labels) > MAX_LABELS:
        raise ValueError(f"{name} has {len(labels):,} labels; at most {MAX_LABELS:,} are served.")
    return labels


def read_templates(name: str) -> tuple[str, ...]:
    """The prompt templates that ``name`` stands for: ``cifar100``, or a text file with one a line.

    Raises:
        ValueError: there is no such file, it is empty, or a template has not ``{}`` exactly once.
    """
    templates = TEMPLATES if name == CIFAR100 else lines(Path(name))
    for template in templates:
        if template.count("{}") != 1:
            raise ValueError(f"{name}: '{template}' must contain {{}} exactly once, where the label goes.")
    return templates


def lines(path: Path) -> tuple[str, ...]:
    """The lines of a text file, without empty ones and those that begin with #."""
    try:
        lines = [" ".join(line.split()) for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as text: {error}.") from error
    if not (kept := tuple(line for line in lines if line and not line.startswith("#"))):
        raise ValueError(f"{path} is empty.")
    return kept
