"""What ``clip`` may answer: the parts that the page and ``index`` itself read, checked before anything reads them."""

import math
from typing import Any


def is_description(document: Any) -> bool:
    """Whether it is clip's description of itself."""
    if not isinstance(document, dict):
        return False
    groups = document.get("groups", {})
    return (
        _are_words(document.get("labels"))
        and _are_words(document.get("everyday", []))
        and isinstance(document.get("vocabulary", ""), str)
        and isinstance(groups, dict)
        and all(_are_words(group) for group in groups.values())
        and isinstance(document.get("limits", {}), dict)
    )


def is_recognition(document: Any) -> bool:
    """Whether it is an answer to one or several photos, in clip's form or in Hugging Face's."""
    if isinstance(document, list):
        return _are_predictions(document)
    if not isinstance(document, dict):
        return False
    if "results" in document:
        results = document["results"]
        return isinstance(results, list) and all(_is_of_one(one) or is_error(one) for one in results)
    return _is_of_one(document)


def are_embeddings(document: Any) -> bool:
    """Whether it is an answer of ``/v1/embeddings``."""
    if not isinstance(document, dict) or not isinstance(document.get("model"), str):
        return False
    data = document.get("data")
    return isinstance(data, list) and all(
        isinstance(one, dict) and (isinstance(one.get("embedding"), str) or _are_numbers(one.get("embedding")))
        for one in data
    )


def is_error(document: Any) -> bool:
    """Whether it is an error in the form of both functions."""
    error = document.get("error") if isinstance(document, dict) else None
    return (
        isinstance(error, dict)
        and all(isinstance(error.get(key), str) for key in ("code", "message"))
        and _are_unknown(error.get("unknown", []))
    )


def _is_of_one(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    instead = document.get("instead")
    return (
        _are_predictions(document.get("predictions"))
        and document["predictions"][0]["score"] > 0
        and _is_share(document.get("confidence"))
        and isinstance(document.get("recognized"), bool)
        and isinstance(document.get("preview", ""), str)
        and _are_words(document.get("warnings", []))
        and _are_tags(document.get("tags", []))
        and _are_unknown(document.get("unknown", []))
        and (instead is None or (_is_labelled(instead) and _is_share(instead.get("confidence"))))
    )


def _are_unknown(value: Any) -> bool:
    return isinstance(value, list) and all(_is_labelled(one) and _are_words(one.get("near")) for one in value)


def _are_tags(value: Any) -> bool:
    return isinstance(value, list) and all(
        _is_labelled(one) and _is_share(one.get("confidence")) and _are_words(one.get("path")) for one in value
    )


def _are_predictions(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(_is_labelled(one) and _is_share(one.get("score")) for one in value)
    )


def _is_labelled(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("label"), str)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_is_number(one) for one in value)


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
