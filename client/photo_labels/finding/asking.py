"""The service, as an index needs it: for words, and for embeddings."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ..answers import Description
from ..concurrency import Concurrency
from ..labeling import Labeler, Left, ServiceGone
from ..service import HOW_TO_START, USUAL_ADDRESS, Parameters, Service, ServiceRefuses
from .access import Access
from .embeddings import EmbeddingService
from .index import Index, IndexFileError


class NoAnswer(Exception):
    """The service has no answer to what a search needs. The message says why."""


__all__ = ["CANNOT", "Asking", "NoAnswer", "ServiceGone", "answer", "opened"]

CANNOT = (IndexFileError, ServiceRefuses, NoAnswer)
"""What is raised where something cannot be done as it was asked for."""


class Asking:
    """Asks the service. At the end the connections have to be closed.

    Args:
        say: writes a line for people.
    """

    def __init__(self, access: Access, say: Callable[[str], None]) -> None:
        self.concurrency = Concurrency(access.at_most)
        self._access = access
        self._say = say
        self._services: list[Service] = []

    def words(self, parameters: Parameters) -> tuple[Labeler, Description]:
        """What asks for words, by requests with these parameters, and what the service says of itself.

        Raises:
            ServiceGone, ServiceRefuses: see ``Labeler.find_service``.
        """
        access = self._access
        url = access.url or USUAL_ADDRESS
        return self._found(Service(url, parameters, access.key, access.timeout, access.at_most))

    def embeddings(self) -> tuple[Labeler, Description]:
        """The same for embeddings."""
        access = self._access
        return self._found(EmbeddingService(access.url or USUAL_ADDRESS, access.key, access.timeout, access.at_most))

    def _found(self, service: Service) -> tuple[Labeler, Description]:
        self._services.append(service)
        labeler = Labeler(service, self.concurrency, self._access.wait, self._say)
        return labeler, labeler.find_service(None if self._access.url else HOW_TO_START)

    def close(self) -> None:
        for service in self._services:
            service.close()


def answer(labeler: Labeler, body: bytes) -> Mapping[str, Any]:
    """The answer to a request.

    Raises:
        NoAnswer: it is an error, or there is none.
        ServiceGone, ServiceRefuses: no request would have one.
    """
    try:
        said = labeler.answer(body)
    except Left as left:
        raise NoAnswer(f"The service has no answer: {left}.") from left
    if "error" in said:
        raise NoAnswer(str(said["error"]["message"]))
    return said


@contextmanager
def opened(path: Path, new: bool) -> Iterator[Index]:
    """An index until the block ends.

    Args:
        new: whether to make it, if it is not there.

    Raises:
        IndexFileError: it cannot be used.
    """
    try:
        with closing(Index(path, new)) as index:
            yield index
    except sqlite3.Error as error:
        raise IndexFileError(f"{path} cannot be read or written to: {error}.") from error
