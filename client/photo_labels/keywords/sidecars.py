"""Keywords in files beside the photos: the photos themselves stay as they are."""

from pathlib import Path

from ..files import NewFile
from ..folder import RAW_ENDINGS, RefusedUnread, Unreadable, read
from ..states import state_at
from .words import Words
from .xmp import MAX_BYTES, XmpError, updated

STYLES = ("darktable", "lightroom")
ENDING = ".xmp"
# Adobe's programs write into these themselves, and look for no file beside them.
_WITHOUT = frozenset((".dng",))


class KeywordsError(Exception):
    """The keywords cannot be written now, and everything is as it was. The message is a few words."""


def sidecar_of(photo: Path, style: str) -> Path:
    """Where programs look for what belongs to a photo.

    Args:
        style: ``darktable`` for ``IMG.jpg.xmp``, as darktable, digiKam and immich have it; ``lightroom`` for
            ``IMG.xmp`` beside a raw file.

    Raises:
        KeywordsError: two raw files would have the same.
    """
    ending = photo.suffix.lower()
    if style == "lightroom" and ending in RAW_ENDINGS - _WITHOUT:
        others = RAW_ENDINGS - _WITHOUT - {ending}
        if any(photo.with_suffix(name).exists() for other in others for name in (other, other.upper())):
            raise KeywordsError("another raw file has the same sidecar")
        return photo.with_suffix(ENDING)
    return photo.with_name(photo.name + ENDING)


def write(sidecar: Path, words: Words) -> bool:
    """Put these words into a sidecar, in place of those of an earlier call. It is the old one or the new one always.

    Returns:
        Whether it has changed.

    Raises:
        KeywordsError: it cannot be read as XMP, or not be written.
    """
    try:
        with NewFile(sidecar) as new:
            before = state_at(sidecar)
            old = None if before is None else _content(sidecar)
            document = updated(old, words)
            if document is old:
                return False
            if state_at(sidecar) != before:
                raise KeywordsError("its sidecar has changed meanwhile")
            if document is None:
                sidecar.unlink()
            else:
                new.take_its_place((document,))
            return True
    except (XmpError, Unreadable) as error:
        raise KeywordsError(f"its sidecar {error}") from error
    except BlockingIOError as error:
        raise KeywordsError("another run is writing its sidecar") from error
    except OSError as error:
        raise KeywordsError(f"its sidecar cannot be written ({error.strerror})") from error


def _content(sidecar: Path) -> bytes:
    try:
        return read(sidecar, MAX_BYTES).data
    except RefusedUnread as error:
        raise XmpError("is empty" if error.state.bytes == 0 else f"has more than {MAX_BYTES:,} bytes") from error
