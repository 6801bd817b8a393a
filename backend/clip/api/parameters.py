"""Reads the parameters of a request, which may come in the query string, as the fields of a form, and in JSON."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from werkzeug.datastructures import MultiDict

from ..errors import BadParameter
from ..limits import DEFAULT_TOP_K, MAX_LABEL_CHARACTERS, MAX_LABELS
from ..recognition.query import Query

PARAMETERS = ("top_k", "labels", "vocabulary", "template", "preview", "explain", "unknown", "coverage")
# Labels with their repetitions and the empty ones.
_MAX_GIVEN = 100 * MAX_LABELS
_VOCABULARIES = ("labels", "everyday")
_UNKNOWN = {"skip": True, "error": False}
_COVERAGE = re.compile(r"0?\.[0-9]{1,10}")
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


def parse(values: "MultiDict[str, str]") -> Query:
    """Read the parameters, which may come in the query string and as the fields of a form.

    Args:
        values: ``labels`` given once is a comma-separated list; given several times, each is one label.

    Raises:
        BadParameter: a name that is not a parameter, or a value that makes no sense.
    """
    for name in values:
        if name not in PARAMETERS:
            raise BadParameter(_unknown(name))
    labels, everyday, template = _labels(values.getlist("labels")), _everyday(values), _single(values, "template")
    if everyday and (labels or template is not None):
        raise BadParameter("vocabulary=everyday ranks words of its own: give it without labels and template.")
    if template is not None:
        require_template(template)
    explain, explained = _explained(_single(values, "explain"))
    return Query(
        _top_k(_single(values, "top_k")),
        labels,
        everyday,
        template,
        _flag(values, "preview"),
        explain,
        explained,
        require_unknown(_single(values, "unknown") or "error"),
        _coverage(_single(values, "coverage")),
    )


def _fold(text: str) -> str:
    """The text without white space at the ends, and with single spaces inside."""
    return " ".join(text.split())


def _unknown(name: str) -> str:
    shown = name if len(name) <= 40 else name[:40] + "…"
    near = get_close_matches(name[:40].lower(), PARAMETERS, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"There is no parameter '{shown}'.{meant} The parameters are: {', '.join(PARAMETERS)}."


def _single(values: "MultiDict[str, str]", name: str) -> str | None:
    given = set(values.getlist(name))
    if len(given) > 1:
        raise BadParameter(f"{name} can be given only once.")
    return given.pop() if given else None


def _top_k(value: str | None) -> int:
    if value is None:
        return DEFAULT_TOP_K
    digits = value.strip()
    # int() would raise for thousands of digits, and accepts the digits of other scripts.
    return require_top_k(int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else 0)


def require_top_k(value: object) -> int:
    """The value, or BadParameter unless it is a number of predictions that one may ask for."""
    if type(value) is not int or not 1 <= value <= MAX_LABELS:
        raise BadParameter(f"top_k must be a whole number from 1 to {MAX_LABELS}.")
    return value


def _flag(values: "MultiDict[str, str]", name: str) -> bool:
    value = (_single(values, name) or "0").strip().lower()
    if value not in _FLAGS:
        raise BadParameter(f"{name} must be 1 or 0.")
    return _FLAGS[value]


def _explained(value: str | None) -> tuple[bool, str | None]:
    """Whether to explain, and the label that is to be explained if one is named."""
    label = (value or "").strip() or "0"
    if (flag := _FLAGS.get(label.lower())) is not None:
        return flag, None
    _require_short("label of explain", label)
    return True, _fold(label)


def _coverage(value: str | None) -> float | None:
    """The number; which numbers a model can answer, it knows itself."""
    if value is None or not (digits := value.strip()):
        return None
    if not _COVERAGE.fullmatch(digits):
        raise BadParameter("coverage must be a number below 1, such as 0.9.")
    return float(digits)


def require_unknown(value: object) -> bool:
    """Whether unknown labels are left out, or BadParameter unless the value says so or the contrary."""
    if not isinstance(value, str) or (skip := _UNKNOWN.get(value.strip().lower())) is None:
        raise BadParameter(f"unknown must be one of {', '.join(_UNKNOWN)}.")
    return skip


def _everyday(values: "MultiDict[str, str]") -> bool:
    vocabulary = (_single(values, "vocabulary") or _VOCABULARIES[0]).strip().lower()
    if vocabulary not in _VOCABULARIES:
        raise BadParameter(f"vocabulary must be one of {', '.join(_VOCABULARIES)}.")
    return vocabulary == "everyday"


def _labels(values: list[str]) -> tuple[str, ...]:
    if not values:
        return ()
    return distinct_labels(values[0].split(",", _MAX_GIVEN) if len(values) == 1 else values)


def distinct_labels(given: Sequence[str]) -> tuple[str, ...]:
    """Labels without empty ones and repetitions. Nothing is done with one before its length is known.

    Raises:
        BadParameter: there are none, too many, or one that is too long.
    """
    if len(given) > _MAX_GIVEN:
        raise BadParameter(f"There are over {_MAX_GIVEN:,} labels; at most {MAX_LABELS:,} are accepted.")
    labels: dict[str, str] = {}
    for text in map(str.strip, given):
        _require_short("label", text)
        if label := _fold(text):
            labels.setdefault(label.lower(), label)  # CLIP reads lower case
    if not labels:
        raise BadParameter("labels must name at least one label.")
    if len(labels) > MAX_LABELS:
        raise BadParameter(f"There are {len(labels):,} labels; at most {MAX_LABELS:,} are accepted.")
    return tuple(labels.values())


def require_template(template: str) -> None:
    """Raise BadParameter unless the template has ``{}`` once and is not too long."""
    _require_short("template", template)
    if template.count("{}") != 1:
        raise BadParameter("template must contain {} exactly once, where the label goes.")


def _require_short(kind: str, text: str) -> None:
    if len(text) > MAX_LABEL_CHARACTERS:
        raise BadParameter(
            f"The {kind} '{text[:40]}…' has {len(text):,} characters; at most {MAX_LABEL_CHARACTERS} are accepted."
        )
