"""English names in the plural."""

from collections.abc import Sequence


def plurals(name: str) -> Sequence[str]:
    """The regular plurals of a name, by its last letters."""
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return (name[:-1] + "ies",)
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return (name + "es",)
    if name.endswith("fe"):
        return (name[:-2] + "ves", name + "s")
    if name.endswith(("f", "o")):
        return (name[:-1] + "ves" if name.endswith("f") else name + "es", name + "s")
    return (name + "s",)
