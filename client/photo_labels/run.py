"""Labels all photos of a folder, many at a time, and writes the results."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from .concurrency import Concurrency, Stopped
from .folder import Walk
from .keywords.sidecars import KeywordsError
from .labeling import Left
from .output import Output
from .progress import Progress
from .results import Result
from .summary import Summary


class ResultKeeper(Protocol):
    """Does something with results beside writing them. Any thread may use it."""

    def keep(self, folder: Path, result: Result) -> Result:
        """Take the result of a file in the folder, and give it back as it is to be written.

        Raises:
            Left, KeywordsError: it cannot be done now, and the file is left for the next run.
        """


class Run:
    """One pass over a folder.

    Args:
        look: gets the result of a file, by the folder and its path in it, and raises what ``Labeler.result`` does.
        keepers: take each result in turn before it is written, and give what is to be written.
        done: the photos that have a result already, with their sizes. It is emptied on the way.
        look_again: takes what is said anew of these; without it they are not asked.
    """

    def __init__(
        self,
        look: Callable[[Path, str], Result],
        concurrency: Concurrency,
        keepers: Sequence[ResultKeeper],
        output: Output,
        summary: Summary,
        done: dict[str, int],
        progress: Progress,
        look_again: Callable[[Result], object] | None = None,
    ) -> None:
        self._look = look
        self._concurrency = concurrency
        self._keepers = keepers
        self._output = output
        self._summary = summary
        self._done = done
        self._progress = progress
        self._look_again = look_again
        self._one_at_a_time = threading.Lock()
        self._failure: BaseException | None = None

    def folder(self, folder: Path, walk: Walk, threads: int) -> None:
        """Label all photos that the walk finds. After Ctrl-C, those in flight are finished.

        Raises:
            KeyboardInterrupt: Ctrl-C.
            OutputError, ServiceGone, ServiceRefuses: it cannot continue.
        """
        with ThreadPoolExecutor(threads) as pool:
            try:
                for file in walk:
                    if file in self._done:
                        with self._one_at_a_time:
                            self._progress.skip(self._done.pop(file))
                        if self._look_again is None:
                            continue
                        work = self._again
                    else:
                        work = self._label
                    self._concurrency.begin_photo()
                    pool.submit(self._guarded, work, folder, file)
            except Stopped:
                pass
            except BaseException:
                self._concurrency.stop()
                raise
        if self._failure is not None:
            raise self._failure

    def _guarded(self, work: Callable[[Path, str], None], folder: Path, file: str) -> None:
        try:
            work(folder, file)
        except Stopped:
            pass
        except BaseException as error:
            self._failure = self._failure or error
            self._concurrency.stop()
        finally:
            self._concurrency.end_photo()

    def _label(self, folder: Path, file: str) -> None:
        try:
            result = self._look(folder, file)
            for keeper in self._keepers:
                result = keeper.keep(folder, result)
        except (Left, KeywordsError) as left:
            with self._one_at_a_time:
                self._summary.leave(file, str(left))
                self._progress.finish(0)
            return
        with self._one_at_a_time:
            self._output.write(result)
            self._summary.add(result)
            self._progress.finish(result.state.bytes)

    def _again(self, folder: Path, file: str) -> None:
        assert self._look_again is not None  # noqa: S101
        with suppress(Left):
            self._look_again(self._look(folder, file))
