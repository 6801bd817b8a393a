"""Counts the results of a run, for the summary at its end."""

from collections import Counter
from collections.abc import Iterator

from .folder import Walk
from .results import Result
from .terminal import printable

_EXAMPLES = 3
_MOST_WORDS = 20
_MOST_INSTEAD = 5
# What to do about a file that the service answers with this error.
_ADVICE = {
    "body_too_large": "larger than the service takes: raise its max_image_bytes, or make them smaller",
    "too_many_pixels": "larger than the service takes: make them smaller",
    "too_expensive": "too costly to decode: save them as JPEG",
    "corrupt_image": "damaged: get them from a backup or the camera again",
    "unreadable_video": "not videos, damaged, or of another format: convert them",
    "empty_body": "empty: get them from a backup or the camera again",
    "unsupported_image": "not photos, or of another format: convert or rename them",
}


class Summary:
    """Counts results, and photos that are left without one for the next run.

    Attributes:
        earlier: how many of the results are of earlier runs.
        changed: how many files have changed since an earlier run.
    """

    def __init__(self) -> None:
        self.earlier = 0
        self.changed = 0
        self._labels: Counter[str] = Counter()
        self._instead: Counter[str] = Counter()
        self._not_recognized = 0
        self._failed: dict[str, _Some] = {}
        self._left: dict[str, _Some] = {}

    @property
    def photos(self) -> int:
        """How many have a result."""
        failed = sum(some.count for some in self._failed.values())
        return self._labels.total() + self._instead.total() + self._not_recognized + failed

    @property
    def is_complete(self) -> bool:
        return not self._failed and not self._left

    def add(self, result: Result) -> None:
        if result.error is not None:
            self._failed.setdefault(result.error, _Some()).add(result.file)
        elif result.label is not None:
            self._labels[result.label] += 1
        elif result.instead is not None:
            self._instead[result.instead] += 1
        else:
            self._not_recognized += 1

    def leave(self, file: str, reason: str) -> None:
        self._left.setdefault(reason, _Some()).add(file)

    def text(self, seconds: float, walk: Walk) -> str:
        """The summary as lines.

        Args:
            seconds: how long this run took.
            walk: what it has found.
        """
        return "".join(f"{line}\n" for line in self._lines(seconds, walk))

    def _lines(self, seconds: float, walk: Walk) -> Iterator[str]:
        now = self.photos - self.earlier
        rate = f" ({now / seconds:.1f} a second)" if now else ""
        before = f", {self.earlier:,} by earlier runs" if self.earlier else ""
        yield f"{_number(self.photos, 'photo')}: {now:,} in {_duration(seconds)}{rate}{before}."
        if self.changed:
            yield f"{self.changed:9,}  changed since an earlier run, and asked again"
        yield from self._words()
        for code, some in sorted(self._failed.items()):
            yield some.line(f"failed, {printable(code)}", _ADVICE.get(code, ""))
        for reason, some in sorted(self._left.items()):
            yield some.line(f"left for the next run, {printable(reason)}")
        for name, reason in walk.unreadable.items():
            yield f"{printable(name)} could not be listed: {reason}"
        if walk.left_out:
            yield "Left out: " + ", ".join(f"{n:,} {kind}" for kind, n in sorted(walk.left_out.items())) + "."

    def _words(self) -> Iterator[str]:
        often = self._labels.most_common(_MOST_WORDS)
        for label, count in often:
            yield f"{count:9,}  {printable(label)}"
        rare = len(self._labels) - len(often)
        if rare:
            rest = self._labels.total() - sum(count for _, count in often)
            yield f"{rest:9,}  {_number(rare, 'other word')}"
        if self._instead:
            words = ", ".join(
                f"{printable(word)} ({count:,})" for word, count in self._instead.most_common(_MOST_INSTEAD)
            )
            more = ", ..." if len(self._instead) > _MOST_INSTEAD else ""
            yield f"{self._instead.total():9,}  not recognized by a label, but by another word: {words}{more}"
        if self._not_recognized:
            yield f"{self._not_recognized:9,}  not recognized"


class _Some:
    """The number of files with one problem, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def add(self, file: str) -> None:
        self.count += 1
        if len(self._first) < _EXAMPLES:
            self._first.append(file)

    def line(self, what: str, advice: str = "") -> str:
        more = ", ..." if self.count > len(self._first) else ""
        files = f"{', '.join(map(printable, self._first))}{more}"
        return f"{self.count:9,}  {what}: {files}{f' ({advice})' if advice else ''}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
