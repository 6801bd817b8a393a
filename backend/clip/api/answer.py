"""The answers of the function, as responses."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from server.interface import Response

from ..deadline import Deadline
from ..errors import RequestError, UnknownLabel
from ..limits import (
    DEFAULT_TOP_K,
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    MAX_IMAGES,
    MAX_INFLIGHT,
    MAX_LABEL_CHARACTERS,
    MAX_LABELS,
    MAX_NEW_LABEL_TOKENS,
)
from ..manifest import Coverage, Manifest
from ..photos.formats import ENDINGS, FORMATS
from ..recognition.background import Background
from ..recognition.explanation import Explanation
from ..recognition.recognizer import Ranking, Recognizer
from ..recognition.tags import Tag
from ..service import Recognition
from ..version import VERSION
from .wording import Wording


def recognition(
    result: Recognition, manifest: Manifest, accept: str | None, deadline: Deadline, words: Wording
) -> Response:
    """The answer to an image.

    Args:
        accept: the header Accept; a caller that prefers plain text gets ``label<TAB>percent``, one a line.
        deadline: knows what the time went to.
        words: those that the caller understands.
    """
    if parse_accept_header(accept, MIMEAccept).best_match(["application/json", "text/plain"]) == "text/plain":
        lines = [f"{words.label(each.label)}\t{each.score:.1%}\n" for each in result.ranking.predictions]
        response = _response(200, "text/plain; charset=utf-8", "".join(lines))
    else:
        said = words.answer(recognition_object(result, manifest))
        response = json_response(200, said | unknown_object(result.unknown))
    response["headers"] |= result_headers(result) | words.headers() | server_timing(deadline)
    return response


def recognition_object(result: Recognition, manifest: Manifest) -> dict[str, Any]:
    """The answer to an image, as it stands in JSON, but for ``unknown_object``, which is the same for all images."""
    ranking = result.ranking
    said = {
        "predictions": predictions_list(ranking),
        "confidence": _rounded(ranking.confidence),
        "recognized": ranking.recognized,
    }
    if ranking.instead:
        said |= {"instead": {"label": ranking.instead.label, "confidence": _rounded(ranking.instead.confidence)}}
    if result.label_set:
        said |= {"set": asdict(result.label_set)}
    if result.preview:
        said |= {"preview": f"data:image/jpeg;base64,{base64.b64encode(result.preview).decode()}"}
    if result.explanation:
        said |= {"explanation": _explanation_object(result.explanation)}
    if result.tags is not None:
        said |= {"tags": tags_list(result.tags)}
    if result.warnings:
        said |= {"warnings": list(result.warnings)}
    return said | {"model": manifest.title}


def unknown_object(unknown: Sequence[UnknownLabel]) -> dict[str, Any]:
    """The labels that were left out, as they stand in an answer; nothing where there are none."""
    return {"unknown": [label._asdict() for label in unknown]} if unknown else {}


def _explanation_object(explanation: Explanation) -> dict[str, Any]:
    return {
        "label": explanation.label,
        "grid": explanation.grid.round(3).tolist(),
        "area": [round(edge, 6) for edge in explanation.area],
    }


def tags_list(tags: Sequence[Tag]) -> list[dict[str, Any]]:
    return [{"label": tag.label, "confidence": _rounded(tag.confidence), "path": list(tag.path)} for tag in tags]


def predictions_list(result: Ranking) -> list[dict[str, Any]]:
    return [{"label": each.label, "score": _rounded(each.score)} for each in result.predictions]


def result_headers(result: Recognition) -> dict[str, str]:
    """For those who read no JSON: how sure the answer is, how many labels were left out, and its warnings."""
    ranking = result.ranking
    return {
        "X-Confidence": f"{ranking.confidence:.4f}",
        "X-Recognized": "true" if ranking.recognized else "false",
        **({"X-Unknown": str(len(result.unknown))} if result.unknown else {}),
        **warnings_header(result.warnings),
    }


def warnings_header(warnings: Iterable[str]) -> dict[str, str]:
    """Each warning once; no header where there is none."""
    said = ", ".join(dict.fromkeys(warnings))
    return {"X-Warnings": said} if said else {}


def server_timing(deadline: Deadline) -> dict[str, str]:
    fetched = {"fetch": deadline.fetching} if deadline.fetching else {}
    spent = {"wait": deadline.waited, **fetched, "decode": deadline.decoding, "inference": deadline.inference}
    return {"Server-Timing": ", ".join(f"{name};dur={1000 * seconds:.1f}" for name, seconds in spent.items())}


def description(recognizer: Recognizer, words: Wording) -> Response:
    """What the service is, in the words that the caller understands."""
    manifest = recognizer.manifest
    return json_response(
        200,
        {
            "version": VERSION,
            "model": manifest.title,
            "weights_sha256": manifest.weights_sha256,
            **_background_object(recognizer.background),
            "license": manifest.license,
            "precision": recognizer.precision,
            "precisions": {name: asdict(checked) for name, checked in manifest.precisions.items()},
            "explains": recognizer.explainer is not None,
            "coverage": _coverage_object(manifest.confidence.coverage),
            "vocabulary": manifest.vocabulary,
            "labels": manifest.labels,
            "groups": recognizer.everyday.groups(manifest.labels),
            "everyday": recognizer.everyday.words,
            **({"examples": recognizer.examples.names} if recognizer.examples else {}),
            "templates": manifest.templates,
            "confidence": {"threshold": manifest.confidence.threshold, "source": manifest.confidence.source},
            "sufficient_side": manifest.image.sufficient_side,
            "formats": list(FORMATS),
            "endings": ENDINGS,
            "top_k": DEFAULT_TOP_K,
            "limits": {
                "max_inflight": MAX_INFLIGHT,
                "max_image_bytes": MAX_IMAGE_BYTES,
                "max_image_pixels": MAX_IMAGE_PIXELS,
                "max_images": MAX_IMAGES,
                "max_labels": MAX_LABELS,
                "max_label_characters": MAX_LABEL_CHARACTERS,
                "max_label_tokens": manifest.context_length,
                "max_new_label_tokens": MAX_NEW_LABEL_TOKENS,
                **({} if manifest.max_new_labels is None else {"max_new_labels": manifest.max_new_labels}),
            },
        }
        | words.description(manifest.labels),
        words.headers(),
    )


def _background_object(background: Background | None) -> dict[str, Any]:
    """What a program compares embeddings with as the examples are compared: see docs/teach.md."""
    if background is None:
        return {}
    center = base64.b64encode(background.center.astype("<f4").tobytes()).decode()
    return {"embedding_background": {"center": center, "weights": background.weights.tolist()}}


def _coverage_object(coverage: Coverage | None) -> dict[str, Any] | None:
    """What coverage can be asked for."""
    if coverage is None:
        return None
    return {"least": coverage.levels[0], "most": coverage.levels[-1], "source": coverage.source}


def error(problem: RequestError) -> Response:
    return json_response(problem.status, error_object(problem), problem.headers)


def error_object(problem: RequestError) -> dict[str, Any]:
    return {"error": {"code": problem.code, "message": str(problem), **problem.details}}


def openai_error(problem: RequestError) -> Response:
    """The usual error, with the ``type`` that OpenAI's clients read."""
    said = error_object(problem)
    said["error"]["type"] = "invalid_request_error" if problem.status < 500 else "server_error"
    return json_response(problem.status, said, problem.headers)


def _rounded(score: float) -> float:
    """Rounded to six significant digits, so that a tiny score is not 0."""
    return float(f"{score:.6g}")


def json_response(status: int, value: object, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    response = _response(status, "application/json", json.dumps(value, ensure_ascii=False) + "\n")
    response["headers"].update(headers)
    return response


def _response(status: int, content_type: str, body: str) -> Response:
    return {"statusCode": status, "headers": {"Content-Type": content_type}, "body": body}
