"""The client as a library: one photo at a time, from any number of threads or tasks."""

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .concurrency import Concurrency
from .folder import RefusedUnread, Unreadable, read
from .labeling import Labeler, Left, ServiceGone
from .service import HOW_TO_START, USUAL_ADDRESS, Service, ServiceRefuses

_log = logging.getLogger("photo_labels")


class PhotoError(Exception):
    """A photo has no answer. The message says why.

    Attributes:
        code: one of docs/api.md, or a few words where the service has said nothing.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ServiceError(Exception):
    """The service is not there, or refuses every photo. The message says why."""


@dataclass(frozen=True)
class Prediction:
    """A label, and its share, 0 to 1, of all that the service could choose among."""

    label: str
    score: float


@dataclass(frozen=True)
class Tag:
    """A word that a photo is recognized by, how sure that is, and the more general words above it."""

    label: str
    confidence: float
    path: tuple[str, ...]


@dataclass(frozen=True)
class Recognition:
    """What a photo shows: see docs/answers.md.

    Attributes:
        predictions: best first; there is one at least.
        confidence: the probability that the first is right, 0 to 1.
        recognized: whether that reaches the model's threshold.
        instead: the everyday word that it is recognized by when no label is.
        tags: every word that it is recognized by, most specific first, where they were asked for.
        answer: all that the service says.
    """

    predictions: tuple[Prediction, ...]
    confidence: float
    recognized: bool
    instead: str | None
    tags: tuple[Tag, ...]
    answer: Mapping[str, Any]

    @property
    def label(self) -> str | None:
        """The word for the photo: the first label, or ``instead``; None where it is not recognized at all."""
        return self.predictions[0].label if self.recognized else self.instead


class Recognizer:
    """A service that says what photos show. It is found when the first photo is sent.

    It waits while the service is busy or restarts, and never has more requests in flight than it takes.

    Args:
        url: the address of ``clip``; without one, that of ``make up`` on this computer.
        key: the API key, if the service has one.
        labels: choose among these, and not among the model's own.
        vocabulary: ``labels``, ``everyday`` or ``all``.
        template: the prompt that a label is put into, with ``{}`` for it.
        top_k: how many labels an answer has; the service's own number without it.
        lang: the language of the labels, such as ``de``; English without it.
        tags: ask for every word that a photo is recognized by.
        at_most: requests at a time.
        timeout: how long one answer may take, in seconds.
        wait: how long a service may be away, in seconds.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str = "",
        labels: Sequence[str] = (),
        vocabulary: str | None = None,
        template: str | None = None,
        top_k: int | None = None,
        lang: str | None = None,
        tags: bool = False,
        at_most: int = 16,
        timeout: float = 60.0,
        wait: float = 60.0,
    ) -> None:
        chosen = {"vocabulary": vocabulary, "template": template, "top_k": top_k, "lang": lang}
        chosen |= {"tags": 1} if tags else {}
        parameters = [("labels", label) for label in labels]
        parameters += [(name, str(value)) for name, value in chosen.items() if value is not None]
        self._service = Service(url or USUAL_ADDRESS, parameters, key, timeout, at_most)
        self._labeler = Labeler(self._service, Concurrency(at_most), wait, _log.info)
        self._how_to_start = None if url else HOW_TO_START
        self._threads = ThreadPoolExecutor(at_most, "photo-labels")

    def recognize(self, photo: str | os.PathLike[str] | bytes) -> Recognition:
        """Send a photo: a file's path, or its bytes.

        Raises:
            PhotoError: it has no answer.
            ServiceError: no photo would have one.
        """
        try:
            most = self._labeler.find_service(self._how_to_start).max_image_bytes
            data = photo if isinstance(photo, bytes) else read(Path(photo), most).data
            answer = self._labeler.answer(data)
        except RefusedUnread as error:
            raise PhotoError(error.code, str(error)) from error
        except (Unreadable, Left) as error:
            raise PhotoError(str(error), f"The photo has no answer: {error}.") from error
        except (ServiceGone, ServiceRefuses) as error:
            raise ServiceError(str(error)) from error
        if "error" in answer:
            raise PhotoError(answer["error"]["code"], answer["error"]["message"])
        return _recognition(answer)

    async def recognize_async(self, photo: str | os.PathLike[str] | bytes) -> Recognition:
        """The same without blocking: the photo is read and sent in a thread. What is cancelled ends there later.

        Raises:
            PhotoError: it has no answer.
            ServiceError: no photo would have one.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.recognize, photo)

    def close(self) -> None:
        """Wait for what is under way, and close the connections."""
        self._threads.shutdown()
        self._service.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)


def _recognition(answer: Mapping[str, Any]) -> Recognition:
    return Recognition(
        tuple(Prediction(one["label"], one["score"]) for one in answer["predictions"]),
        answer.get("confidence", 0.0),
        answer.get("recognized", False),
        (answer.get("instead") or {}).get("label"),
        tuple(Tag(one["label"], one["confidence"], tuple(one["path"])) for one in answer.get("tags", ())),
        answer,
    )
