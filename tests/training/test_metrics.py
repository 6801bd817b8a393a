"""Figures against values worked out by hand."""

import xml.etree.ElementTree as ET

import pytest

from training.metrics import expected_calibration_error, mean_over, reliability, reliability_diagram

CONFIDENCE = [0.7, 0.4, 0.9, 0.68]
RIGHT = [True, False, True, False]


def test_each_word_counts_the_same() -> None:
    assert mean_over(["a", "a", "a", "b"], [True, True, False, False]) == pytest.approx((2 / 3 + 0) / 2)


def test_calibration_error_of_four_images_in_three_bins() -> None:
    # 0.7 (right) and 0.68 (wrong) share the bin 10/15..11/15; 0.4 is wrong, 0.9 is right.
    expected = 2 / 4 * abs(0.69 - 0.5) + 1 / 4 * 0.4 + 1 / 4 * 0.1
    bins = reliability(CONFIDENCE, RIGHT)
    assert [(number, entry.images) for number, entry in enumerate(bins) if entry.images] == [(6, 1), (10, 2), (13, 1)]
    assert expected_calibration_error(bins) == pytest.approx(expected)


def test_full_confidence_belongs_to_the_last_bin() -> None:
    bins = reliability([1.0], [True])
    assert bins[-1] == (1, 1.0, 1.0)
    assert expected_calibration_error(bins) == 0


def test_the_diagram_is_an_svg_with_one_bar_for_each_bin_that_has_images() -> None:
    root = ET.fromstring(reliability_diagram(reliability(CONFIDENCE, RIGHT), "four images"))
    svg = "{http://www.w3.org/2000/svg}"
    titles = [title.text or "" for title in root.iter(f"{svg}title")]
    assert root.tag == f"{svg}svg"
    assert titles == [
        "1 images: confidence 0.400, accuracy 0.000",
        "2 images: confidence 0.690, accuracy 0.500",
        "1 images: confidence 0.900, accuracy 1.000",
    ]
