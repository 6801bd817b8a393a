"""Assembles a function as ``faas-cli build`` does: the template, with the handler's folder as ``function`` in it."""

import shutil
from pathlib import Path

from .stack import Function

# Files that the image does not have either.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*", "tests", "Dockerfile", "template.yml")


def assemble(function: Function, templates: Path, build: Path, model: Path | None = None) -> Path:
    """Copy a function's files into a new folder in ``build``.

    Args:
        model: an exported model folder, instead of the function's own.

    Returns:
        The folder.

    Raises:
        OSError: the template, the handler or the model is missing.
    """
    folder = build / function.name
    shutil.copytree(templates / function.lang, folder, ignore=_LEFT_OUT)
    own_model = function.handler / "model"

    def left_out(source: str, names: list[str]) -> set[str]:
        return _LEFT_OUT(source, names) | ({"model"} if Path(source) == function.handler else set())

    shutil.copytree(function.handler, folder / "function", ignore=left_out, dirs_exist_ok=True)
    if model is not None and not (model / "model.json").is_file():
        raise FileNotFoundError(f"{model} is not an exported model: it has no model.json")
    if model is not None or own_model.is_dir():
        # A link, as it may have hundreds of megabytes, and nothing changes it.
        (folder / "function" / "model").symlink_to((model or own_model).resolve())
    return folder
