"""Reads the functions of a stack file, as faas-cli does."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from server.environment import count, seconds

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
# The watchdog's default.
_DEFAULT_TIMEOUT = "30s"


@dataclass(frozen=True)
class Function:
    """One function of the stack file.

    ``handler`` is its folder, ``exec_timeout`` the seconds that a request may take, ``max_inflight`` the number of
    requests at a time, 0 for any.
    """

    name: str
    lang: str
    handler: Path
    image: str
    environment: Mapping[str, str]
    exec_timeout: float
    max_inflight: int
    definition: Mapping[str, Any]

    @property
    def has_model(self) -> bool:
        """Whether the function has a model that can be chosen."""
        return "MODEL" in (self.definition.get("build_args") or {})


def read(path: Path, variables: Mapping[str, str] = os.environ) -> list[Function]:
    """The functions of a stack file, with ``${NAME:-default}`` filled in.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a stack file.
    """
    text = _VARIABLE.sub(lambda match: variables.get(match[1]) or match[2] or "", path.read_text(encoding="utf-8"))
    try:
        definitions = yaml.safe_load(text)["functions"]
        return [_function(name, definition, path.parent) for name, definition in definitions.items()]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is not a stack file: {error!r}") from error


def _function(name: str, definition: Mapping[str, Any], folder: Path) -> Function:
    environment = {key: str(value) for key, value in (definition.get("environment") or {}).items()}
    return Function(
        name=name,
        lang=definition["lang"],
        handler=(folder / definition["handler"]).resolve(),
        image=definition["image"],
        environment=environment,
        exec_timeout=seconds("exec_timeout", _DEFAULT_TIMEOUT, environment),
        max_inflight=count("max_inflight", "0", environment, least=0),
        definition=definition,
    )
