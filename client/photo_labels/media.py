"""Gets the result of a file, be it a photo or a video."""

from dataclasses import replace
from pathlib import Path

from .folder import PHOTO_ENDINGS, Reader
from .labeling import Labeler, Left
from .results import Result
from .states import state_at
from .videos import VideoError, Videos, together
from .weighing import weighed


class Media:
    """Asks for photos, and for frames of videos. Any thread may use it.

    Args:
        least: words that are less sure do not count, 0 to 1.
        reader: reads photos.
        videos: reads videos; None where there are none.
    """

    def __init__(self, labeler: Labeler, least: float, reader: Reader, videos: Videos | None) -> None:
        self._labeler = labeler
        self._least = least
        self._reader = reader
        self._videos = videos

    def look(self, folder: Path, file: str) -> Result:
        """Get the result of a file.

        Raises:
            Left, ServiceGone, ServiceRefuses, Stopped: as ``Labeler.result`` does.
        """
        path = folder / file
        if self._videos is not None and path.suffix.lower() not in PHOTO_ENDINGS:
            return self._video(self._videos, path, file)
        result = self._labeler.result(folder, file, self._reader)
        return replace(result, answer=weighed(result.answer, self._least))

    def _video(self, videos: Videos, path: Path, file: str) -> Result:
        state = state_at(path)
        if state is None:
            raise Left("cannot be read")
        try:
            frames = videos.frames(path)
        except VideoError as problem:
            answer = {"error": {"code": "unreadable_video", "message": str(problem)}}
        else:
            answers = [(each.seconds, weighed(self._labeler.answer(each.jpeg), self._least)) for each in frames]
            answer = dict(together(answers))
        if state_at(path) != state:
            raise Left("changed while it was read")
        return Result(file, answer, state)
