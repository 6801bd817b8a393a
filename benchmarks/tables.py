"""Tables in Markdown."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table, after an empty one."""
    rule = ["---", *["---:" for _ in head[1:]]]
    return ["", *(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))]
