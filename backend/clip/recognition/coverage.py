"""The labels of which one is right, for a share of photos that the caller chooses.

This is split conformal prediction (Angelopoulos and Bates, "A Gentle Introduction to Conformal Prediction and
Distribution-Free Uncertainty Quantification", 2021), with the sets that are smallest on average (Sadinle et al., "Least
Ambiguous Set-Valued Classifiers with Bounded Error Levels", 2019): a label is in the set if it is likely enough, and
what is enough was found on photographs of which it is known what they show (``Coverage``). That one of the labels is
right and that none is have limits of their own, so that the share holds for photos of either kind, however many there
are of each.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BadParameter
from ..manifest import Coverage
from .candidates import Candidates
from .query import Query
from .vocabulary import Everyday

# A level that is written with a few digits is none that is a rounding error higher.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class LabelSet:
    coverage: float
    """As it was asked for."""
    labels: list[str]
    """Best first."""
    something_else: bool
    """Whether the photo may show what none of the labels names."""


class CoveredLabels:
    """The model's own labels, for which its coverage was calibrated."""

    def __init__(self, labels: Sequence[str], everyday: Everyday, coverage: Coverage | None) -> None:
        self._labels = labels
        self._everyday = everyday
        self._coverage = coverage

    def asked(self, query: Query, candidates: Candidates) -> dict[str, str]:
        """What the caller calls each of the labels that are among the candidates.

        Raises:
            BadParameter: the model has no such calibration, or none for this coverage or these candidates.
        """
        if self._coverage is None:
            raise BadParameter("This model is not calibrated for sets of labels: leave coverage out.")
        least, most = self._coverage.levels[0], self._coverage.levels[-1]
        if query.coverage is None or not least <= query.coverage <= most + _ROUNDING:
            raise BadParameter(f"coverage must be a number from {least:g} to {most:g}, such as 0.9.")
        by_name = {label.casefold(): label for label in self._labels}
        by_word = {self._everyday.find(label): label for label in self._labels}
        by_word.pop(-1, None)
        asked: dict[str, str] = {}
        not_calibrated = BadParameter(
            "coverage is calibrated for this model's own labels and prompts, which GET / lists: leave "
            "vocabulary and template out, and choose labels among these."
        )
        if candidates.things:
            raise not_calibrated
        for name, word in zip(candidates.labels, candidates.words.tolist(), strict=True):
            label = by_name.get(name.casefold()) or by_word.get(word)
            if label is None or query.template is not None:
                raise not_calibrated
            asked.setdefault(label, name)
        return asked

    def choose(self, level: float, likelihoods: Sequence[tuple[str, float]], asked: dict[str, str]) -> LabelSet:
        """Choose a set for a photo.

        A set of labels that are not all of the model's holds what the set of all of them holds, and something else in
        place of the others. So it is right whenever that one is.

        Args:
            level: the coverage, from the first of the calibrated levels to the last.
            likelihoods: of each of the model's labels, best first, see ``likelihoods``.
            asked: see there.
        """
        assert self._coverage is not None  # noqa: S101
        place = bisect_left(self._coverage.levels, level - _ROUNDING)
        limit, other = self._coverage.labels[place], self._coverage.others[place]
        best, confidence = likelihoods[0]
        fitting = [label for label, likelihood in likelihoods if likelihood >= limit]
        something_else = confidence <= other
        if not fitting and not something_else:  # more is asked of either than there is: the likelier of the two
            fitting, something_else = ([best], False) if confidence >= 1 / 2 else ([], True)
        return LabelSet(
            level,
            [asked[label] for label in fitting if label in asked],
            something_else or any(label not in asked for label in fitting),
        )


def likelihoods(predictions: Sequence[tuple[str, float]], confidence: float) -> list[tuple[str, float]]:
    """How likely each label is: the best one as the confidence says, and the others in proportion to their scores.

    Args:
        predictions: labels with their scores, best first.
    """
    best = predictions[0][1]
    return [(label, confidence * score / best) for label, score in predictions]
