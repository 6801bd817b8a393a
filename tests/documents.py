"""The documents of the project, and the tables in them."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
API, ARCHITECTURE, CONFIGURATION, DEPLOY = (
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("api", "architecture", "configuration", "deploy")
)
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "training" / "README.md"]


def table_rows(document: str, first_header: str) -> dict[str, str]:
    """The rows of the table that begins with this header, by their first cell."""
    lines = document.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_header} |"))
    rows: dict[str, str] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        first, _, rest = line.strip("| ").partition("|")
        rows[first.strip()] = rows.get(first.strip(), "") + rest
    return rows
