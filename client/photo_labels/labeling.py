"""Gets the result of one photo, with retries while the service is busy, fails or restarts."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from .answers import Description
from .concurrency import Concurrency
from .folder import Reader, RefusedUnread, Unreadable, read
from .results import Result
from .service import Kind, Reply, Service, ServiceDown, ServiceRefuses, failure

# How often the service may fail with a photo, although it is there.
_TRIES = 4
# In seconds.
_FIRST_DELAY, _LONGEST_DELAY = 0.25, 10.0
_LONGEST_CHECK_DELAY = 3.0


class ServiceGone(Exception):
    """The service has not answered for longer than the user wants to wait."""


class OtherModel(ServiceRefuses):
    """The service's model was replaced during the run."""


class Left(Exception):
    """A photo has no result, and the next run tries again. The message says why in a few words."""


class Labeler:
    """Sends photos until they are answered. It may be used by any number of threads.

    Args:
        longest_wait: how many seconds to wait for a service that does not answer.
        say: prints a line on the terminal.
    """

    def __init__(
        self, service: Service, concurrency: Concurrency, longest_wait: float, say: Callable[[str], None]
    ) -> None:
        self._service = service
        self._concurrency = concurrency
        self._longest_wait = longest_wait
        self._say = say
        self._description: Description | None = None
        self._answered = self._seen = time.monotonic()
        self._check = threading.Lock()
        self._again = threading.Lock()

    def find_service(self, how_to_start: str | None = None) -> Description:
        """Wait for the service, if it has not been found before; gives what it says of itself.

        Args:
            how_to_start: where nothing listens at its address this is said at once, and nothing is waited for.

        Raises:
            ServiceGone: it is not there.
            ServiceRefuses: it would refuse every photo.
        """
        self._wait_until_there(0.0, how_to_start)
        return self._known()

    def result(self, folder: Path, file: str, reader: Reader = read) -> Result:
        """Read a photo and send it.

        Raises:
            Left: it has no result.
            ServiceGone, ServiceRefuses: no photo would have one.
            Stopped: the run is being ended.
        """
        try:
            photo = reader(folder / file, self._known().max_image_bytes)
        except RefusedUnread as refused:
            return Result(file, {"error": {"code": refused.code, "message": str(refused)}}, refused.state)
        except Unreadable as error:
            raise Left(str(error)) from error
        return Result(file, self.answer(photo.data), photo.state)

    def answer(self, photo: bytes) -> Mapping[str, Any]:
        """Send a photo until it is answered. The service must have been found.

        Raises:
            Left: it has no answer.
            ServiceGone, ServiceRefuses: no photo would have one.
            Stopped: the run is being ended.
        """
        return self._reply(photo).answer

    def _known(self) -> Description:
        assert self._description is not None  # noqa: S101
        return self._description

    def _reply(self, photo: bytes) -> Reply:
        failures, unsent_since, delay = 0, None, _FIRST_DELAY
        while True:
            # One suspect at a time: a photo that ends the service fails all that are in flight with it.
            with self._again if failures > 1 else nullcontext(), self._concurrency.request() as began:
                reply = self._of_same_model(self._service.label(photo))
            now = time.monotonic()
            if reply.kind is Kind.ANSWER:
                self._answered = now
                self._concurrency.answered()
                return reply
            if reply.kind is Kind.REFUSED:
                raise ServiceRefuses(f"{self._service.url} refuses: {reply.message}")
            if reply.kind is Kind.FAILED:
                failures += 1
            else:
                unsent_since = unsent_since or began
                self._require_time(reply, unsent_since)
            if reply.kind is Kind.BUSY:
                self._concurrency.refused(began, reply.retry_after or 0.0)
            else:
                self._concurrency.failed(began)
                self._wait_until_there(now)
            if failures == _TRIES:
                raise Left(reply.code)
            if not reply.retry_after and (reply.kind is not Kind.FAILED or failures > 1):
                # Of different lengths, so that not all come back at the same moment.
                self._concurrency.sleep(delay * random.uniform(0.5, 1))  # noqa: S311
                delay = min(2 * delay, _LONGEST_DELAY)

    def _of_same_model(self, reply: Reply) -> Reply:
        model = self._known().model
        other = reply.answer.get("model", model) if reply.kind is Kind.ANSWER else model
        return reply if other == model else failure(Kind.FAILED, "other_model", f"The answer is by the model {other}.")

    def _require_time(self, reply: Reply, unsent_since: float) -> None:
        now = time.monotonic()
        wait = reply.retry_after or 0.0
        if max(wait, now - max(unsent_since, self._answered)) > self._longest_wait:
            when = f" It asks to come back in {wait:.0f} s." if wait else ""
            raise ServiceGone(f"{self._service.url} takes no photos: {reply.message}{when}")
        if now - unsent_since > self._longest_wait:
            raise Left(reply.code)

    def _wait_until_there(self, failed: float, how_to_start: str | None = None) -> None:
        """Ask until the service describes itself, unless it has done so since the failure at this time (0: at all)."""
        with self._check:
            began, delay, said = failed or time.monotonic(), _FIRST_DELAY, False
            while self._description is None or self._seen <= failed:
                self._concurrency.sleep(0)
                try:
                    description = self._service.describe()
                    self._require_model(description.model)
                    self._description = description
                    self._concurrency.begin_at(self._description.max_inflight)
                    self._seen = time.monotonic()
                except OtherModel:
                    raise
                except (ServiceDown, ServiceRefuses) as down:
                    if isinstance(down, ServiceRefuses) and self._description is None:
                        raise
                    if how_to_start and isinstance(down, ServiceDown) and down.is_absent:
                        raise ServiceGone(how_to_start) from down
                    # While a service is being replaced, a gateway may say that there is none.
                    if time.monotonic() - began > self._longest_wait:
                        raise ServiceGone(f"{self._service.url} does not answer: {down}") from down
                    if not said:
                        self._say(f"Waiting for {self._service.url} ({down}), {self._longest_wait:.0f} s at most ...")
                        said = True
                    self._concurrency.sleep(delay)
                    delay = min(2 * delay, _LONGEST_CHECK_DELAY)

    def _require_model(self, model: str) -> None:
        if self._description is not None and model != self._description.model:
            before = self._description.model
            raise OtherModel(f"{self._service.url} had the model {before} and has {model}: its results would be mixed.")
