"""The examples in the documents, as a reader would copy them."""

import re

from tests.launch import PROJECT

ADDRESS = "http://127.0.0.1:8080/function/clip"
"""What stands in them for the address of ``clip``."""


def examples(language: str, document: str = "docs/api.md") -> list[str]:
    """The blocks in this language, in their order."""
    text = (PROJECT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(document: str = "docs/api.md") -> list[tuple[str, str]]:
    """Each command of the console's blocks, and what it prints."""
    console = "\n".join(examples("console", document))
    return [(command, shown.strip()) for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.M)]
