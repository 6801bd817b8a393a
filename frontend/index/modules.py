"""Joins JavaScript modules into one: a document has its script inside, so that nothing is left to import.

The modules are those of ECMAScript, in the part of it that this project needs: ``import { … } from "./name.js"`` or
``import "./name.js"`` at their beginning, and ``export`` before a declaration. In the result all declarations share a
scope, so no two modules may declare the same name.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"\./(?P<module>\w+)\.js";\n', re.MULTILINE)
_DECLARATION = re.compile(
    r"^(?P<export>export )?(?=(?:async )?(?:const|let|function|class) (?P<name>[\w$]+))", re.MULTILINE
)
_NOT_JOINED = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def join(folder: Path, entry: str) -> str:
    """One module with the code of ``entry`` and of all that it imports, each after what it imports itself.

    Raises:
        ValueError: modules import each other in a circle, two declare the same name, one imports what is not exported,
            or uses another form of import or export.
    """
    joined: dict[str, str] = {}
    homes: dict[str, str] = {}
    exported: dict[str, set[str]] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"modules import each other: {' -> '.join((*above, name))}")
        if name in joined:
            return
        text = (folder / f"{name}.js").read_text("utf-8")
        for found in _IMPORT.finditer(text):
            visit(found["module"], (*above, name))
            wanted = {part.strip() for part in (found["names"] or "").split(",")} - {""}
            if missing := wanted - exported[found["module"]]:
                raise ValueError(f"{name}.js imports {', '.join(sorted(missing))}, which {found['module']}.js lacks")
        declared = list(_DECLARATION.finditer(text))
        for each in declared:
            if (home := homes.setdefault(each["name"], name)) != name:
                raise ValueError(f"{home}.js and {name}.js both declare {each['name']}")
        exported[name] = {each["name"] for each in declared if each["export"]}
        joined[name] = _DECLARATION.sub("", _IMPORT.sub("", text))
        if rest := _NOT_JOINED.search(joined[name]):
            raise ValueError(f"{name}.js: cannot be joined: {rest[0]}")

    visit(entry, ())
    return "\n".join(joined.values())
