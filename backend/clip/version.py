"""The project's version. ``project.toml`` is a link to pyproject.toml, and faas-cli copies what a link leads to."""

import tomllib
from pathlib import Path

VERSION: str = tomllib.loads(Path(__file__).with_name("project.toml").read_text(encoding="utf-8"))["project"]["version"]
