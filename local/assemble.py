"""Puts a function together as `faas-cli build` does: the template, and in it the handler's folder as `function`."""

import shutil
from pathlib import Path

from .stack import Function

# What the image leaves out as well.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*", "tests", "Dockerfile", "template.yml")


def assemble(function: Function, templates: Path, build: Path, model: Path | None = None) -> Path:
    """Returns the folder, new in `build`, that holds the whole function; `model` takes the place of its own.

    Raises OSError where the template, the handler or the model is missing.
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
        # Hundreds of megabytes that nobody changes.
        (folder / "function" / "model").symlink_to((model or own_model).resolve())
    return folder
