"""Calibrates the confidence of an exported model on public photographs, and prints how often it is wrong.

    python -m backend.clip.export.calibrate --model EXPORTED --data FOLDER --cache FOLDER

The folder of the model then has the calibration. One half of the classes is fitted on. The figures of the other half
are the ones to believe: nothing was fitted or chosen on it.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..deadline import Deadline
from ..manifest import NEGATIVES, UNCALIBRATED, Calibration, Coverage
from ..photos import image as images
from ..recognition.candidates import Candidates, View
from ..recognition.query import Query
from ..recognition.recognizer import Ranking, Recognizer
from .calibration import Fit, Floats, fit, log_loss, log_odds, threshold, wrong_at_95
from .cifar100 import LABELS
from .coverage import fit_coverage
from .figures import Outcome, figures, print_figures
from .public_sets import SETS, Pictures, SetError, read_sets
from .truth import PARTS, Picture, Truth, Verdict, sample
from .views import Views, key_of
from .words import read_words

SHARES = {"named photographs": 0.4, "named small images": 0.1, "other things": 0.4, "textures": 0.1}
"""What each kind of picture counts in the fit, all pictures of a kind together. How likely an answer is right depends
on how often a photo shows something else; here that is half of the time."""
WORTH = 0.05
"""Looking for a label together with its rivals costs an answer half of what the image tower costs, for ViT-B/32. It is
taken where it lessens the logarithmic loss by this share."""
_OTHERS = ("other things", "textures")
_PETS = ("cat", "dog")


class CalibrationError(Exception):
    """The model cannot be calibrated. The message says why."""


class Choice(NamedTuple):
    """What one way to be sure comes to, on the part that is fitted on."""

    negatives: str
    together: bool
    """Whether a label is looked for together with its rivals, too."""
    fit: Fit
    confidences: Floats
    """[pictures]"""
    loss: float
    wrong_at_95: float

    @property
    def title(self) -> str:
        return self.negatives + (", and together with them" if self.together else "")


class Calibrated(NamedTuple):
    calibration: Calibration
    choices: list[Choice]
    taken: Choice
    outcomes: list[Outcome]
    """The calibrated model's."""


def calibrate(recognizer: Recognizer, sets: Sequence[Pictures], cache: Path) -> Calibrated:
    """Fit the confidence of a model. Its recognizer is calibrated afterwards; the folder is not written to.

    Args:
        cache: the folder where the tower's outputs are kept.

    Raises:
        CalibrationError: the sets lack pictures that are needed.
        SetError: a picture cannot be read.
        OSError: the cache cannot be written to.
    """
    truth = Truth(read_words())
    pictures = sample(sets, truth, LABELS)
    kinds = [kind_of(picture, truth) for picture in pictures]
    weights = _weights(pictures, kinds)
    fitted_on = weights * np.array([picture.part == PARTS[0] for picture in pictures])
    views = _views(recognizer, sets, pictures, cache)
    hundred = _hundred(recognizer)
    others = np.isin([kind or "" for kind in kinds], _OTHERS)

    choices = []
    for negatives in NEGATIVES[: 1 + recognizer.has_phrases]:
        calibration = replace(UNCALIBRATED, negatives=negatives)
        rankings = _ask(recognizer, calibration, views, hundred)
        verdicts = [truth.verdict(r.predictions[0].label, p.words) for r, p in zip(rankings, pictures, strict=True)]
        evidence = log_odds([ranking.confidence for ranking in rankings], calibration)
        clear = np.array([verdict is not Verdict.UNCLEAR for verdict in verdicts]) & (fitted_on > 0)
        right = np.array([verdict is Verdict.RIGHT for verdict in verdicts])
        if negatives == NEGATIVES[0]:
            together = _together(recognizer, views, hundred, rankings, fitted_on > 0)
        for matched in (None, together)[: 1 + recognizer.pairs_words]:
            fitted = fit(evidence[clear], right[clear], fitted_on[clear], None if matched is None else matched[clear])
            sure = fitted.confidences(evidence, together)
            loss = log_loss(sure[clear], right[clear], fitted_on[clear])
            wrong = wrong_at_95(sure, right & clear, others & clear)
            choices.append(Choice(negatives, matched is not None, fitted, sure, loss, wrong))
    plain = min((choice for choice in choices if not choice.together), key=lambda choice: choice.loss)
    best = next((each for each in choices if each.together and each.negatives == plain.negatives), plain)
    best = best if best.loss < (1 - WORTH) * plain.loss else plain
    wrongly = others & (fitted_on > 0)
    calibration = Calibration(
        threshold(best.confidences[wrongly], fitted_on[wrongly]),
        {"share": round(plain.fit.share, 4), "bias": round(plain.fit.bias, 4)},
        f"calibrated on {np.count_nonzero(fitted_on):,} pictures of {', '.join(each.title for each in SETS.values())}",
        negatives=plain.negatives,
        together={name: round(weight, 4) for name, weight in best.fit._asdict().items()} if best.together else None,
    )
    recognizer.manifest = replace(recognizer.manifest, confidence=calibration)
    calibration = replace(calibration, coverage=_coverage(recognizer, pictures, kinds, fitted_on > 0, views, truth))
    answers = [
        _ask(recognizer, calibration, views, candidates)
        for candidates in (
            hundred,
            recognizer.everyday.candidates,
            recognizer.candidates(Query(labels=_PETS), Deadline.unlimited()),
        )
    ]
    outcomes = [Outcome(*each) for each in zip(pictures, kinds, weights.tolist(), *answers, strict=True)]
    return Calibrated(calibration, choices, best, outcomes)


def kind_of(picture: Picture, truth: Truth) -> str | None:
    """The kind of a picture in ``SHARES``; None where it is unclear whether one of the hundred labels names it."""
    verdict = truth.verdict_of_any(LABELS, picture.words)
    if verdict is Verdict.UNCLEAR:
        return None
    if verdict is Verdict.RIGHT:
        return "named small images" if picture.source == "cifar100" else "named photographs"
    return "textures" if picture.source == "dtd" else "other things"


def _weights(pictures: Sequence[Picture], kinds: Sequence[str | None]) -> Floats:
    """[pictures]: in each part, those of the pictures of a kind add up to its share of the part's pictures.

    Raises:
        CalibrationError: a part has no pictures of a kind.
    """
    weights = np.zeros(len(pictures))
    for part in PARTS:
        of_part = np.array([picture.part == part for picture in pictures])
        for kind, share in SHARES.items():
            members = of_part & np.array([each == kind for each in kinds])
            if not members.any():
                raise CalibrationError(
                    f"The sets have too few pictures for a calibration: {kind} are needed, of at least two classes."
                )
            weights[members] = share * of_part.sum() / members.sum()
    return weights


def _views(recognizer: Recognizer, sets: Sequence[Pictures], pictures: Sequence[Picture], cache: Path) -> list[View]:
    views = Views(cache / key_of(recognizer.manifest, recognizer.precision))
    by_name = {each.name: each for each in sets}

    def pixels() -> Iterator[NDArray[np.uint8]]:
        for picture in pictures:
            try:
                image = by_name[picture.source].open(picture.position).convert("RGB")
            except (OSError, ValueError, SyntaxError) as error:
                of_set = SETS[picture.source]
                raise SetError(
                    f"A picture of {of_set.title} ({picture.shows}) cannot be read: {error}. Remove the folder "
                    f"{of_set.folder} and copy or download the set again."
                ) from error
            yield np.asarray(images.fit(image, recognizer.manifest.image))

    with tqdm(total=len(pictures), desc="pictures", disable=not sys.stderr.isatty()) as bar:
        return views.of(recognizer, pixels(), lambda: bar.update() and None)


def _coverage(
    recognizer: Recognizer,
    pictures: Sequence[Picture],
    kinds: Sequence[str | None],
    wanted: NDArray[np.bool_],
    views: Sequence[View],
    truth: Truth,
) -> Coverage | None:
    """The limits of sets of labels, by the photographs; None if they are too few or the model serves other labels."""
    if recognizer.manifest.labels != LABELS:
        return None
    named, others = [], []
    for position in np.flatnonzero(wanted).tolist():
        shown = pictures[position].words
        if kinds[position] == "named photographs":
            likely = recognizer.likelihoods(views[position])
            named.append(next(each for label, each in likely if truth.verdict(label, shown) is Verdict.RIGHT))
        elif kinds[position] == "other things":
            others.append(recognizer.likelihoods(views[position])[0][1])
    source = f"calibrated on {len(named):,} photographs of what the labels name, and {len(others):,} of other things"
    return fit_coverage(np.array(named), np.array(others), source)


def _together(
    recognizer: Recognizer,
    views: Sequence[View],
    candidates: Candidates,
    rankings: Sequence[Ranking],
    wanted: NDArray[np.bool_],
) -> Floats:
    """[pictures], ``multi_match`` of the first labels of those that are wanted; 0 of the others, and where the model
    cannot say."""
    found = np.zeros(len(views))
    if recognizer.pairs_words:
        for position in tqdm(np.flatnonzero(wanted), desc="pairs", disable=not sys.stderr.isatty()):
            best = list(candidates.labels).index(rankings[position].predictions[0].label)
            match = recognizer.together(views[position], candidates, best, Deadline.unlimited())
            found[position] = match or 0.0
    return found


def _hundred(recognizer: Recognizer) -> Candidates:
    """The labels of CIFAR-100 as candidates, also of a model that serves others."""
    labels = () if recognizer.manifest.labels == LABELS else LABELS
    return recognizer.candidates(Query(labels=labels), Deadline.unlimited())


def _ask(
    recognizer: Recognizer, calibration: Calibration, views: Sequence[View], candidates: Candidates
) -> list[Ranking]:
    recognizer.manifest = replace(recognizer.manifest, confidence=calibration)
    return [recognizer.rank(view, candidates, 1) for view in views]


def main() -> int:
    parser = argparse.ArgumentParser(prog="calibrate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="an exported model folder, which is written to")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public sets")
    parser.add_argument("--cache", type=Path, required=True, help="a folder to keep what the tower says of pictures")
    parser.add_argument("--no-download", action="store_true", help="fail where DATA lacks a set")
    arguments = parser.parse_args()
    try:
        recognizer = Recognizer(arguments.model)
        sets = read_sets(arguments.data, download=not arguments.no_download)
        calibration, choices, taken, outcomes = calibrate(recognizer, sets, arguments.cache)
        recognizer.manifest.write(arguments.model)
    except (CalibrationError, SetError, OSError, ValueError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("calibrate: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    print_figures(figures(outcomes, Truth(read_words())))
    for choice in choices:
        chosen = ", taken" if choice is taken else ""
        print(
            f"what competes: {choice.title}: logarithmic loss {choice.loss:.4f}, "
            f"{choice.wrong_at_95:.1%} of other things at 95 % of the right answers{chosen}",
            file=sys.stderr,
        )
    print(f"{arguments.model}: {calibration.source}; threshold {calibration.threshold}", file=sys.stderr)
    if not calibration.weights["share"]:
        print("Whether its answers are right, this model does not say: it recognizes nothing.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
