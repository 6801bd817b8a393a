"""What the function says, as OpenFaaS response dictionaries."""

import json
from typing import Any

from .errors import RequestError
from .image import FORMATS
from .limits import DEFAULT_TOP_K, MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_LABELS
from .manifest import Manifest
from .recognizer import Ranking
from .version import VERSION

Response = dict[str, Any]


def ranking(result: Ranking, manifest: Manifest, *, as_text: bool) -> Response:
    if as_text:
        lines = [f"{prediction.label}\t{prediction.score:.1%}" for prediction in result.predictions]
        if not result.recognized:
            lines.insert(0, "Not recognized. The nearest labels are:")
        return {
            "statusCode": 200,
            "headers": {"Content-Type": "text/plain; charset=utf-8"},
            "body": "\n".join(lines) + "\n",
        }
    return _json(
        200,
        {
            "predictions": [
                {"label": prediction.label, "score": round(prediction.score, 4)} for prediction in result.predictions
            ],
            "recognized": result.recognized,
            "model": manifest.title,
        },
    )


def description(manifest: Manifest) -> Response:
    return _json(
        200,
        {
            "version": VERSION,
            "model": manifest.title,
            "license": manifest.license,
            "vocabulary": manifest.vocabulary,
            "labels": manifest.labels,
            "templates": manifest.templates,
            "recognition": {"statistic": manifest.recognition.statistic, "threshold": manifest.recognition.threshold},
            "formats": FORMATS,
            "top_k": DEFAULT_TOP_K,
            "limits": {
                "max_image_bytes": MAX_IMAGE_BYTES,
                "max_image_pixels": MAX_IMAGE_PIXELS,
                "max_labels": MAX_LABELS,
                "max_label_tokens": manifest.context_length,
            },
        },
    )


def error(problem: RequestError) -> Response:
    response = _json(problem.status, {"error": {"code": problem.code, "message": str(problem)}})
    response["headers"].update(problem.headers)
    return response


def _json(status: int, value: object) -> Response:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(value, ensure_ascii=False) + "\n",
    }
