"""The query string of ``POST /``: how many labels, out of which, in which prompt."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from .errors import BadParameter
from .limits import DEFAULT_TOP_K, MAX_LABELS


@dataclass(frozen=True)
class Query:
    top_k: int
    labels: tuple[str, ...]
    """The caller's own candidates, in their order and without repetitions; none for the model's."""
    template: str | None

    @classmethod
    def parse(cls, values: "MultiDict[str, str]") -> "Query":
        """Read ``top_k``, ``labels`` (comma-separated, or repeated) and ``template``; other names are ignored.

        Raises:
            BadParameter: a value that makes no sense.
        """
        return cls(_top_k(values.get("top_k")), _labels(values.getlist("labels")), _template(values.get("template")))


def _top_k(value: str | None) -> int:
    if value is None:
        return DEFAULT_TOP_K
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:10]) <= MAX_LABELS):
        raise BadParameter(f"top_k must be a whole number from 1 to {MAX_LABELS}.")
    return int(value)


def _labels(values: list[str]) -> tuple[str, ...]:
    if not values:
        return ()
    labels = dict.fromkeys(label for value in values for part in value.split(",") if (label := part.strip()))
    if not labels:
        raise BadParameter("labels must name at least one label.")
    if len(labels) > MAX_LABELS:
        raise BadParameter(f"There are {len(labels):,} labels; at most {MAX_LABELS:,} are accepted.")
    return tuple(labels)


def _template(value: str | None) -> str | None:
    if value is not None and value.count("{}") != 1:
        raise BadParameter("template must contain {} exactly once, where the label goes.")
    return value
