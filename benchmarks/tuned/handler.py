"""``clip`` with other settings: the environment's ``clip_settings`` holds the fields of ``Tuning`` as JSON."""

import json
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import numpy as np

from .clip import engine, recognizer  # type: ignore[import-not-found]
from .gather import Gatherer
from .tuning import Tuning

_TUNING = Tuning(**json.loads(os.environ["clip_settings"]))
_compile_tower = recognizer.compile_tower


class _Core(engine.ov.Core):  # type: ignore[misc]
    def compile_model(self, model: Any, device: str, settings: dict[str, Any]) -> Any:
        merged = {**settings, **_TUNING.engine}
        return super().compile_model(
            model, device, {name: value for name, value in merged.items() if value is not None}
        )


def _compile(path: Path, *, batch: int | None = None, precision: str | None = None) -> Any:
    return _compile_tower(path, batch=None if _TUNING.dynamic else batch, precision=precision)


def _at_most(requests: int | None) -> AbstractContextManager[Any]:
    return BoundedSemaphore(requests) if requests else nullcontext()


engine.ov.Core = _Core
recognizer.compile_tower = _compile

# The model is loaded here.
from .clip.handler import SERVICE  # type: ignore[import-not-found]  # noqa: E402
from .clip.handler import handle as _handle  # noqa: E402

_recognizer = SERVICE.recognizer
_gathered = Gatherer(_recognizer._tower, _TUNING.gather) if _TUNING.gather else None  # noqa: SLF001 - what it replaces
_embed = _recognizer.embed
_handling, _inferring = _at_most(_TUNING.handling), _at_most(_TUNING.inferring)


def _embed_in_turn(pixels: Any) -> Any:
    with _inferring:
        if _gathered is None:
            return _embed(pixels)
        embedding, *classes = _gathered.infer(pixels)
        return recognizer.View(embedding, classes[0].astype(np.float64) if classes else np.empty(0))


_recognizer.embed = _embed_in_turn


def handle(event: Any, context: Any) -> Any:
    with _handling:
        return _handle(event, context)
