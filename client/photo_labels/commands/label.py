"""photo-labels FOLDER: labels all photos in a folder, as JSON Lines or CSV. See docs/client.md."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tqdm import tqdm

from ..answers import Description
from ..concurrency import Concurrency
from ..folder import PHOTO_ENDINGS, VIDEO_ENDINGS, VIDEOS, Reader, Walk, read
from ..formats import Csv, Format, ForPeople, JsonLines
from ..keywords.embedding import Embedder, NoExifTool
from ..keywords.keeper import Keeper
from ..keywords.sidecars import STYLES
from ..labeling import Labeler, Left, ServiceGone
from ..media import Media
from ..origin import Origin, without_password
from ..output import Output, OutputError
from ..progress import Progress
from ..report.errors import ReportError
from ..results import Result
from ..run import Run
from ..service import HOW_TO_START, USUAL_ADDRESS, Service, ServiceRefuses
from ..sorting.record import SortingError
from ..sorting.sorter import Sorter
from ..states import state_at
from ..summary import Summary
from ..terminal import printable
from ..videos import NEEDED, NoFfmpeg, Videos
from .exit_codes import COMPLETE, GONE, INCOMPLETE, SIGNAL, WRONG
from .options import add_service_options, add_shrink, api_key, folder, number, path, share
from .undoing import undone

if TYPE_CHECKING:
    from ..report.report import Report

_EXIT_CODES = f"""exit codes:
  {COMPLETE}         every photo has been labelled
  {INCOMPLETE}         the run is complete, but some files have failed or were left
  {WRONG}         wrong options, or an output that is of something else or cannot be written
  {GONE}         there is no service, or it was away for longer than --wait
  {SIGNAL + signal.SIGINT}, {SIGNAL + signal.SIGTERM}  Ctrl-C, SIGTERM; the same command continues"""


def main(arguments: Sequence[str], known_as: str | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        known_as: the service's address as the output is to have it, if the one that it listens at is of this run alone.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _interrupt)
    try:
        given = _parsed(arguments)
        embedder = Embedder(not given.no_backup) if given.embed else None
        with ExitStack() as stack:
            keeper = stack.enter_context(closing(Keeper(given.xmp_style if given.xmp else None, embedder)))
            if given.undo:
                return COMPLETE if undone(given, embedder, _say) else INCOMPLETE
            sorter = None
            if given.sort_into:
                sorter = stack.enter_context(closing(Sorter(given.sort_into, given.folder, given.copy)))
            report = stack.enter_context(closing(_report(given.report, given.folder))) if given.report else None
            return _run(given, keeper, sorter, report, known_as)
    except (OutputError, ServiceRefuses, ServiceGone, NoExifTool, ReportError, SortingError) as error:
        _say(str(error))
        return GONE if isinstance(error, ServiceGone) else WRONG
    except KeyboardInterrupt as interrupt:
        return SIGNAL + int(interrupt.args[0])


def _parsed(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="photo-labels",
        description="Labels all photos in and below a folder, and videos where ffmpeg is installed.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option("folder", type=folder, help="symbolic links in it are not followed")
    option("--out", type=path, metavar="FILE", help="write there and not to stdout; the same command continues it")
    option("--force", action="store_true", help="drop the results that FILE has, and begin it anew")
    option("--csv", action="store_true", help="write CSV and not JSON Lines; so does a FILE that ends in .csv")
    option("--top-k", type=number(1000), metavar="N", help="how many labels (default: 5, with CSV 1)")
    option("--labels", metavar="A,B", help="choose among these")
    option(
        "--vocabulary",
        choices=("labels", "everyday", "all"),
        help="everyday: choose among those words; all: among both",
    )
    option("--template", help="the prompt that a label is put into, with {} for it")
    option("--lang", metavar="TAG", help="the language of the labels, such as de, pt or zh-Hant (default: English)")
    option(
        "--min-confidence",
        type=share,
        metavar="X",
        help="take words only that are right with this probability, 0 to 1 (default: what the model's threshold says)",
    )
    option("--tags", action="store_true", help="add every word that a photo is recognized by")
    option("--xmp", action="store_true", help="write these words into files beside the photos, as photo programs do")
    option("--xmp-style", choices=STYLES, default=STYLES[0], help="lightroom: IMG.xmp beside raw files (%(default)s)")
    option("--embed", action="store_true", help="write them into the photos, by ExifTool; IMG.jpg_original is kept")
    option("--no-backup", action="store_true", help="with --embed: keep no IMG.jpg_original")
    option("--report", type=path, metavar="FILE", help="write a page there (HTML) with all photos by their words")
    option("--sort-into", type=path, metavar="DIR", help="put a link to each photo into DIR, in a folder for its word")
    option("--copy", action="store_true", help="with --sort-into: copies, and not links")
    option(
        "--undo",
        action="store_true",
        help="remove what --xmp has written, with --embed also what that has, with --sort-into what is in DIR",
    )
    add_service_options(parser, 64)
    add_shrink(parser)
    arguments = parser.parse_args(given)
    arguments.key = api_key(parser, arguments)
    if arguments.copy and arguments.sort_into is None:
        parser.error("--copy is for --sort-into DIR")
    arguments.csv = arguments.csv or (arguments.out is not None and arguments.out.suffix == ".csv")
    if arguments.csv and arguments.top_k is None:
        arguments.top_k = 1
    return arguments


def _report(path: Path, folder: Path) -> "Report":
    try:
        from ..report.report import Report
    except ImportError:
        raise ReportError("--report needs Pillow: pipx install 'photo-labels[report]'.") from None
    return Report(path, folder)


def _run(
    arguments: argparse.Namespace,
    keeper: Keeper,
    sorter: Sorter | None,
    report: "Report | None",
    known_as: str | None,
) -> int:
    given = {name: getattr(arguments, name) for name in ("top_k", "labels", "vocabulary", "template", "lang")}
    parameters = {name: str(value) for name, value in given.items() if value is not None}
    if arguments.tags or arguments.xmp or arguments.embed:
        parameters["tags"] = "1"
    url = arguments.url or USUAL_ADDRESS
    # The pictures are for the report, and not of the results.
    query = parameters | ({"preview": "1"} if report is not None else {})
    service = Service(url, list(query.items()), arguments.key, arguments.timeout, arguments.at_most)
    concurrency = Concurrency(arguments.at_most)
    labeler = Labeler(service, concurrency, arguments.wait, _say)
    # A terminal that shows stdout is for people, and a progress bar would be mixed with the results.
    reads = arguments.out is None and sys.stdout.isatty()
    output = Output(arguments.out, _format(arguments, reads))
    here = labeler.find_service(None if arguments.url else HOW_TO_START)
    reader = _shrinking(here) if arguments.shrink else read
    least = {} if arguments.min_confidence is None else {"min_confidence": f"{arguments.min_confidence:g}"}
    origin = Origin(str(arguments.folder.resolve()), without_password(known_as or url), here.model, parameters | least)
    output.begin(origin, arguments.force)
    videos = _videos()
    endings = PHOTO_ENDINGS | VIDEO_ENDINGS if videos else PHOTO_ENDINGS
    summary, done, walk = Summary(), dict[str, int](), Walk(arguments.folder, endings)

    def holds(result: Result) -> bool:
        now = state_at(arguments.folder / result.file)
        if result.file not in done and now not in (result.state, None):
            summary.changed += 1
            return False
        return result.file not in done

    for result in output.earlier(holds):
        summary.add(result)
        if report is not None:
            report.add(result)
        if sorter is not None:
            try:
                sorter.keep(arguments.folder, result)
            except Left as left:
                summary.leave(result.file, str(left))
        done[result.file] = result.state.bytes
    summary.earlier = summary.photos

    began = time.monotonic()
    failure: BaseException | None = None
    media = Media(labeler, arguments.min_confidence or 0.0, reader, videos)
    keepers = [each for each in (keeper, sorter, report) if each is not None]
    look_again = None if report is None else report.picture
    counted = Walk(arguments.folder, endings)
    with Progress(arguments.folder, counted, concurrency, sys.stderr.isatty() and not reads) as progress:
        try:
            run = Run(media.look, concurrency, keepers, output, summary, done, progress, look_again)
            run.folder(arguments.folder, walk, arguments.at_most)
        except (OutputError, ReportError, ServiceRefuses, ServiceGone, KeyboardInterrupt) as error:
            failure = error
    if summary.photos or not failure:
        sys.stderr.write(summary.text(time.monotonic() - began, walk))
        if walk.left_out[VIDEOS]:
            _say(NEEDED)
    if failure:
        _say(f"Not all photos have a result. {output.how_to_continue}" if summary.photos else "No photo has a result.")
        raise failure
    if report is not None:
        report.write(here.model, arguments.lang or "en")
        _say(f"{arguments.report} shows them.")
    return COMPLETE if summary.is_complete and not walk.unreadable else INCOMPLETE


def _shrinking(service: Description) -> Reader:
    try:
        from ..shrinking import Shrinker
    except ImportError:
        raise ServiceRefuses("--shrink needs Pillow: pipx install 'photo-labels[shrink]'.") from None
    return Shrinker.of(service).read


def _videos() -> Videos | None:
    try:
        return Videos()
    except NoFfmpeg:
        return None


def _format(arguments: argparse.Namespace, is_read_by_people: bool) -> Format:
    if arguments.csv:
        return Csv(arguments.top_k, arguments.lang is not None)
    return ForPeople() if is_read_by_people else JsonLines()


def _interrupt(number: int, _frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    _say("Finishing the photos in flight. Press Ctrl-C again to end at once.")
    raise KeyboardInterrupt(number)


def _say(line: str) -> None:
    tqdm.write(printable(line), file=sys.stderr)
