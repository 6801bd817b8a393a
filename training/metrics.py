"""Measures of a recognizer: accuracy, calibration, and a diagram of both."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BINS = 15


class Bin(NamedTuple):
    """Answers whose confidence lies in one of ``BINS`` equal parts of 0..1."""

    images: int
    confidence: float
    """Their mean."""
    accuracy: float
    """How many of them are right, 0 to 1."""


def print_table(rows: Sequence[tuple[str, str]]) -> None:
    """Print measures and their values, a line of a Markdown table each."""
    width = max(len(measure) for measure, _ in rows)
    for measure, value in rows:
        print(f"| {measure:<{width}} | {value:>6} |")


def mean_over(words: Sequence[str], right: Sequence[bool]) -> float:
    """The accuracy of each word, averaged over the words: one with many pictures counts no more than another."""
    outcomes: dict[str, list[bool]] = {}
    for word, outcome in zip(words, right, strict=True):
        outcomes.setdefault(word, []).append(outcome)
    return float(np.mean([np.mean(each) for each in outcomes.values()]))


def reliability(confidence: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """Confidence, 0 to 1, and the share of right answers in ``BINS`` bins of equal width; both are 0 in empty bins."""
    confidences, outcomes = np.asarray(confidence), np.asarray(right)
    position = np.minimum((confidences * BINS).astype(int), BINS - 1)
    members = [position == number for number in range(BINS)]
    return [
        Bin(int(m.sum()), float(confidences[m].mean()), float(outcomes[m].mean())) if m.any() else Bin(0, 0, 0)
        for m in members
    ]


def expected_calibration_error(bins: list[Bin]) -> float:
    """The mean distance of confidence and accuracy, each bin weighted by its images (Guo et al., "On Calibration of
    Modern Neural Networks", 2017)."""
    images = sum(entry.images for entry in bins)
    return sum(entry.images * abs(entry.confidence - entry.accuracy) for entry in bins) / images


def reliability_diagram(bins: list[Bin], title: str) -> str:
    """The bins as an SVG document: bars for the accuracy, a dashed diagonal for perfect calibration."""
    side, left, top = 300, 50, 40
    images = sum(entry.images for entry in bins)
    bars = []
    for number, entry in enumerate(bins):
        if not entry.images:
            continue
        height, x = entry.accuracy * side, left + number * side / BINS
        bars.append(
            f'<rect x="{x:.1f}" y="{top + side - height:.1f}" width="{side / BINS - 1:.1f}" height="{height:.1f}" '
            f'fill="#2b6cb0" fill-opacity="{0.25 + 0.75 * min(1, BINS * entry.images / images / 2):.2f}">'
            f"<title>{entry.images} images: confidence {entry.confidence:.3f}, "
            f"accuracy {entry.accuracy:.3f}</title></rect>"
        )
    ticks = [
        f'<text x="{left + side * tick / 4:.0f}" y="{top + side + 16}" text-anchor="middle">{tick / 4:g}</text>'
        f'<text x="{left - 6}" y="{top + side - side * tick / 4 + 4:.0f}" text-anchor="end">{tick / 4:g}</text>'
        for tick in range(5)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + side + 20} {top + side + 45}" width="400" '
            'font-family="sans-serif" font-size="11">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text x="{left}" y="20" font-size="13">{title}</text>',
            *bars,
            *ticks,
            f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#444"/>',
            f'<path d="M{left} {top + side}L{left + side} {top}" stroke="#444" stroke-dasharray="4 3"/>',
            f'<text x="{left + side / 2}" y="{top + side + 34}" text-anchor="middle">'
            "confidence (darker: more images)</text>",
            f'<text transform="translate(14 {top + side / 2}) rotate(-90)" text-anchor="middle">accuracy</text>',
            "</svg>\n",
        ]
    )
