"""JavaScript modules are joined into one script, and what cannot be joined is refused."""

from pathlib import Path

import pytest

from frontend.index.modules import join


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, "utf-8")
    return folder


def test_each_module_stands_once_and_after_what_it_imports(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        main='import { one } from "./one.js";\nimport { two } from "./two.js";\n\none(two);\n',
        two='import {\n  one,\n} from "./one.js";\n\nexport const two = one(2);\n',
        one="const own = 1;\nexport async function one() {\n  return own;\n}\n",
    )
    joined = join(folder, "main")
    assert [joined.count(text) for text in ("const own", "async function one", "const two")] == [1, 1, 1]
    assert joined.index("function one") < joined.index("const two") < joined.index("one(two)")
    assert "import" not in joined
    assert "export" not in joined


def test_a_module_may_be_imported_for_its_effect(tmp_path: Path) -> None:
    folder = write(tmp_path, main='import "./effect.js";\nlast();\n', effect="first();\n")
    assert join(folder, "main") == "first();\n\nlast();\n"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ('import { start } from "./main.js";\nexport const other = 1;\n', "main -> other -> main"),
        ("export const other = 1;\nfunction start() {}\n", "both declare start"),
        ("const other = 1;\n", "other, which other.js lacks"),
        ("export const other = 1;\nexport default other;\n", "cannot be joined: export default other;"),
        ("export const other = 1;\nexport { other as one };\n", "cannot be joined"),
        ('import * as all from "./third.js";\nexport const other = 1;\n', "cannot be joined: import \\* as all"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, other: str, message: str) -> None:
    main = 'import { other } from "./other.js";\n\nexport function start() {\n  other();\n}\n'
    folder = write(tmp_path, main=main, other=other, third="export const third = 3;\n")
    with pytest.raises(ValueError, match=message):
        join(folder, "main")


def test_a_module_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"other\.js"):
        join(write(tmp_path, main='import { other } from "./other.js";\n'), "main")
