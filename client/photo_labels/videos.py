"""Still pictures of videos, by ffmpeg, and what they say together."""

import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from re import findall
from typing import Any, NamedTuple

from .labeling import Left
from .results import Result
from .states import State

MOST_FRAMES = 8
NEEDED = "Videos need ffmpeg (Debian: apt install ffmpeg; https://ffmpeg.org)."
# In seconds of the video: what is nearer looks the same.
_LEAST_STEP = 2.0
# In seconds, for one frame.
_TIMEOUT = 30.0
# At a time, each with a thread or two.
_MOST_PROCESSES = 2
# Playlists, which lead to other files and into networks, are no videos here, whatever they are called.
_ONLY_FILES = ("-protocol_whitelist", "file", "-format_whitelist", "mov,matroska,avi,mpeg,mpegts,asf,flv")
# Larger than any model looks at, and than any preview.
_SIDE = 1024


class NoFfmpeg(Exception):
    """ffmpeg is not installed."""


class VideoError(Exception):
    """A video cannot be read. The message says why."""


class Frame(NamedTuple):
    """A picture of a video: its time in seconds, and its bytes, upright."""

    seconds: float
    jpeg: bytes


class Videos:
    """Reads videos. Any thread may use it.

    Raises:
        NoFfmpeg: it is not installed.
    """

    def __init__(self) -> None:
        ffmpeg, ffprobe = shutil.which("ffmpeg"), shutil.which("ffprobe")
        if ffmpeg is None or ffprobe is None:
            raise NoFfmpeg
        self._ffmpeg, self._ffprobe = ffmpeg, ffprobe
        self._turns = threading.Semaphore(_MOST_PROCESSES)

    def frames(self, path: Path) -> list[Frame]:
        """At most eight key frames, from the beginning on and evenly spread, as far as there are as many.

        Only what is near these is read, so that it takes no longer for a long video than for a short one.

        Raises:
            VideoError: it has none that ffmpeg can read.
            Left: it takes too long now, as of a slow disk, or ffmpeg cannot be run.
        """
        duration = self._duration(path)
        count = max(1, min(MOST_FRAMES, ceil(duration / _LEAST_STEP)))
        found = {frame.seconds: frame for n in range(count) if (frame := self._frame(path, n * duration / count))}
        if not found:
            raise VideoError("ffmpeg finds no picture in it.")
        return [found[seconds] for seconds in sorted(found)]

    def _duration(self, path: Path) -> float:
        """In seconds; 0 where the video does not say."""
        said, _ = self._run(
            [self._ffprobe, "-v", "error", *_ONLY_FILES, "-show_entries", "format=duration", "-of", "csv=p=0"], path
        )
        try:
            seconds = float(said)
        except ValueError:
            return 0.0
        return seconds if 0 < seconds < float("inf") else 0.0

    def _frame(self, path: Path, seconds: float) -> Frame | None:
        """The key frame at this time or before; None where there is none that can be read."""
        before = ["-nostdin", "-nostats", "-hide_banner", "-threads", "2", *_ONLY_FILES, "-skip_frame", "nokey"]
        if seconds:
            before += ["-noaccurate_seek", "-ss", f"{seconds:.3f}"]
        size = f"scale=w='min({_SIDE},iw)':h='min({_SIDE},ih)':force_original_aspect_ratio=decrease"
        jpeg, log = self._run(
            [self._ffmpeg, *before, "-copyts", "-i"],
            path,
            *("-map", "0:v:0", "-vf", f"{size},showinfo", "-frames:v", "1"),
            *("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3", "-f", "image2pipe", "-"),
        )
        times = findall(r"\bpts_time: ?(\d+(?:\.\d+)?)", log)
        return Frame(round(float(times[0]), 2), jpeg) if jpeg and times else None

    def _run(self, command: Sequence[str], path: Path, *rest: str) -> tuple[bytes, str]:
        """What a program writes to stdout, and to stderr."""
        with self._turns:
            try:
                ended = subprocess.run(  # noqa: S603
                    [*command, f"file:{path.absolute()}", *rest],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_TIMEOUT,
                    check=False,
                    start_new_session=True,  # Ctrl-C is for this program alone, which finishes what is under way
                )
            except subprocess.TimeoutExpired:
                raise Left(f"a picture of it takes ffmpeg longer than {_TIMEOUT:.0f} s") from None
            except OSError as error:
                raise Left(f"ffmpeg cannot be run ({error.strerror})") from error
        return ended.stdout, ended.stderr.decode("utf-8", "replace")


def together(answers: Sequence[tuple[float, Mapping[str, Any]]]) -> Mapping[str, Any]:
    """The answer for a video, out of those to its frames, each with its time in seconds.

    It is that to the surest of the frames whose word is the most frequent one. ``frames`` has the word of each, and a
    tag the ``times`` of the frames that have it. Where no frame has an answer it is the first one's error.
    """
    results = [(seconds, Result("", answer, State(0, ""))) for seconds, answer in answers if "error" not in answer]
    if not results:
        return answers[0][1]
    words = Counter(result.word for _, result in results if result.word is not None)
    word = max(words, key=lambda each: words[each], default=None)
    of_word = [result for _, result in results if result.word == word]
    said = dict(max(of_word, key=lambda result: result.confidence or 0.0).answer)
    said["frames"] = [
        {"time": seconds, "word": result.word, "confidence": result.confidence} for seconds, result in results
    ]
    tags: dict[str, dict[str, Any]] = {}
    for seconds, result in results:
        for tag in result.answer.get("tags", ()):
            before = tags.get(tag["label"], {"confidence": -1.0, "times": []})
            surest = max(before, tag, key=lambda each: each["confidence"])
            tags[tag["label"]] = {**surest, "times": [*before["times"], seconds]}
    if "tags" in said:
        said["tags"] = sorted(tags.values(), key=lambda tag: (-len(tag["path"]), -tag["confidence"]))
    return said
