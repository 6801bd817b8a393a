"""The labels of a caller's that a closed vocabulary does not know, and what may be meant by them."""

from collections.abc import Sequence

from ..errors import ClosedVocabulary, UnknownLabel
from .vocabulary import Everyday

# So many labels get near words: each costs the time of a look at all names.
_WITH_NEAR = 10
_NAMED = 3
_SHOWN = 40


def unknown_labels(labels: Sequence[str], everyday: Everyday) -> tuple[UnknownLabel, ...]:
    """The labels with the words that are spelled much like them; of many labels the first ones get such words."""
    return tuple(
        UnknownLabel(label, tuple(everyday.near(label)) if place < _WITH_NEAR else ())
        for place, label in enumerate(labels)
    )


def does_not_know(unknown: Sequence[UnknownLabel], *, others: bool) -> ClosedVocabulary:
    """The error of a model that does not know these labels.

    Args:
        others: whether there are labels that it knows.
    """
    shown = [label[:_SHOWN] + (f" (near: {', '.join(near)})" if near else "") for label, near in unknown[:_NAMED]]
    more = ", …" if len(unknown) > _NAMED else ""
    hint = " unknown=skip answers with the other labels." if others else ""
    return ClosedVocabulary(
        f"This model has a closed vocabulary and does not know: {', '.join(shown)}{more}. "
        f"GET / lists the labels and the everyday words that it knows.{hint}",
        unknown,
    )
