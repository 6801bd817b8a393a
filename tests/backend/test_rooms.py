"""Imports between the rooms of ``clip`` go one way, as docs/architecture.md has them."""

import ast
from pathlib import Path

from tests.launch import PROJECT

CLIP = PROJECT / "backend" / "clip"
ORDER = ["handler", "api", "service", "fetch", "recognition", "decoders", "inference", "photos"]
"""A room may import what comes after it, and the modules beside the rooms."""
EXPORT_LACKS = {"handler", "service", "api", "decoders", "fetch"}


def imports(module: Path) -> set[str]:
    """The rooms, or modules beside them, that a module imports."""
    package = module.relative_to(CLIP).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = (*base, *(node.module.split(".") if node.module else ()))
            found |= {target[0]} if target else {alias.name for alias in node.names}
    return found - set(package[:1])


def before(room: str) -> set[str]:
    """What a room may not import."""
    if room == "export":
        return EXPORT_LACKS
    return set(ORDER[: ORDER.index(room)]) if room in ORDER else set(ORDER) - {"photos"}


def test_no_room_imports_one_before_it() -> None:
    wrong = []
    for module in CLIP.rglob("*.py"):
        parts = module.relative_to(CLIP).with_suffix("").parts
        wrong += [f"{'/'.join(parts)} imports {name}" for name in imports(module) & before(parts[0])]
    assert wrong == []
