"""Counts the results of a run, for the summary at its end."""

from collections import Counter

from .folder import Walk
from .formats import Result
from .terminal import printable

_EXAMPLES = 3


class Summary:
    """Counts results, and photos that are left without one for the next run.

    Attributes:
        earlier: how many of the results are of earlier runs.
    """

    def __init__(self) -> None:
        self.earlier = 0
        self._labels: Counter[str] = Counter()
        self._not_recognized = 0
        self._failed: dict[str, _Some] = {}
        self._left: dict[str, _Some] = {}

    @property
    def photos(self) -> int:
        """How many have a result."""
        return self._labels.total() + self._not_recognized + sum(some.count for some in self._failed.values())

    @property
    def is_complete(self) -> bool:
        return not self._failed and not self._left

    def add(self, result: Result) -> None:
        if result.error is not None:
            self._failed.setdefault(result.error, _Some()).add(result.file)
        elif result.label is None:
            self._not_recognized += 1
        else:
            self._labels[result.label] += 1

    def leave(self, file: str, reason: str) -> None:
        self._left.setdefault(reason, _Some()).add(file)

    def text(self, seconds: float, walk: Walk) -> str:
        """The summary as lines.

        Args:
            seconds: how long this run took.
            walk: what it has found.
        """
        now = self.photos - self.earlier
        rate = f" ({now / seconds:.1f} a second)" if now else ""
        before = f", {self.earlier:,} by earlier runs" if self.earlier else ""
        lines = [f"{_number(self.photos, 'photo')}: {now:,} in {_duration(seconds)}{rate}{before}."]
        lines += [f"{count:9,}  {printable(label)}" for label, count in self._labels.most_common()]
        lines += [f"{self._not_recognized:9,}  not recognized"] if self._not_recognized else []
        lines += [some.line(f"failed, {printable(code)}") for code, some in sorted(self._failed.items())]
        lines += [
            some.line(f"left for the next run, {printable(reason)}") for reason, some in sorted(self._left.items())
        ]
        lines += [f"{printable(name)} could not be listed: {reason}" for name, reason in walk.unreadable.items()]
        if walk.left_out:
            lines.append("Left out: " + ", ".join(f"{n:,} {kind}" for kind, n in sorted(walk.left_out.items())) + ".")
        return "\n".join(lines) + "\n"


class _Some:
    """The number of files with one problem, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def add(self, file: str) -> None:
        self.count += 1
        if len(self._first) < _EXAMPLES:
            self._first.append(file)

    def line(self, what: str) -> str:
        more = ", ..." if self.count > len(self._first) else ""
        return f"{self.count:9,}  {what}: {', '.join(map(printable, self._first))}{more}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
