"""The recognizer as tools of an assistant, by the Model Context Protocol (https://modelcontextprotocol.io)."""

import asyncio
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from .finding.access import NEEDED, Access
from .folder import PHOTO_ENDINGS, Walk
from .recognizer import PhotoError, Recognition, Recognizer, ServiceError
from .terminal import printable

_MOST_PHOTOS = 500
_USUAL_PHOTOS = 100
_USUAL_FOUND = 20
_READS_ONLY = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_INSTRUCTIONS = (
    "Says what photos on this computer show, by an image recognizer that runs on it or in its network. Its words are "
    "those of a fixed list; a photo of something else has none. It reads no text in photos and recognizes no persons. "
    "find searches the photos that the user has indexed, and sends none."
)


class Word(BaseModel):
    """A word that a photo is recognized by."""

    word: str
    confidence: float = Field(description="The probability, 0 to 1, that it names what is in the photo.")
    more_general: list[str] = Field(description="What it is a kind of, most general first.")


class Photo(BaseModel):
    """What a photo shows."""

    file: str
    label: str | None = Field(description="The best word for it; null if it is not recognized.")
    words: list[Word] = Field(description="Every word that it is recognized by, surest first.")


class Failure(BaseModel):
    """A photo without an answer."""

    file: str
    reason: str


class Folder(BaseModel):
    """What the photos in a folder show."""

    photos: list[Photo]
    failures: list[Failure]
    more: bool = Field(description="Whether the folder has more photos than were asked for.")
    unreadable: list[str] = Field(description="Folders in it that could not be listed.")


class FoundPhoto(BaseModel):
    """A photo that was found."""

    path: str = Field(description="Its file on this computer.")
    score: float = Field(description="How well it fits, 1 at most; to be compared within this search only.")


class Finding(BaseModel):
    """What a search has found."""

    photos: list[FoundPhoto] = Field(description="Best first.")
    words: list[str] | None = Field(
        description="The words of the text that were looked for; null if any text is understood."
    )


def server(recognizer: Recognizer, index: Path, access: Access) -> MCPServer:
    """A server whose tools ask ``recognizer`` or search. Photos are files of this computer, which are read only.

    Args:
        index: what ``find`` searches; it may be made later.
        access: to the same service.
    """
    tools = MCPServer("photo-labels", instructions=_INSTRUCTIONS, version=_version(), log_level="WARNING")

    @tools.tool(annotations=_READS_ONLY)
    async def what_is_in(path: Annotated[str, Field(description="Of a photo's file on this computer.")]) -> Photo:
        """Say what is in a photo: JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC or a camera raw file."""
        file = _path(path)
        if file.suffix.lower() not in PHOTO_ENDINGS:
            raise ToolError(f"{printable(path)} does not have the name of a photo.")
        try:
            return _photo(path, await recognizer.recognize_async(file))
        except (PhotoError, ServiceError) as error:
            raise ToolError(str(error)) from error

    @tools.tool(annotations=_READS_ONLY)
    async def label_folder(
        context: Context,
        folder: Annotated[str, Field(description="Its path on this computer. Folders in it are included.")],
        at_most: Annotated[int, Field(ge=1, le=_MOST_PHOTOS, description="How many photos.")] = _USUAL_PHOTOS,
    ) -> Folder:
        """Say what is in each photo in a folder."""
        place = _path(folder)
        if not place.is_dir():
            raise ToolError(f"{printable(folder)} is not a folder.")
        walk = Walk(place)
        found = await asyncio.to_thread(lambda: list(islice(walk, at_most + 1)))
        files = sorted(found[:at_most])
        photos, failures = await _all(recognizer, place, files, context)
        return Folder(photos=photos, failures=failures, more=len(found) > at_most, unreadable=_names(walk.unreadable))

    @tools.tool(annotations=_READS_ONLY)
    async def find(
        text: Annotated[str, Field(description="What the photos show, such as 'dog on a beach'.")],
        at_most: Annotated[int, Field(ge=1, le=_MOST_PHOTOS, description="How many photos.")] = _USUAL_FOUND,
    ) -> Finding:
        """Find photos by what they show, in the index that the user has made of a folder."""
        return await asyncio.to_thread(_found, index, text, at_most, access)

    return tools


async def _all(
    recognizer: Recognizer, folder: Path, files: list[str], context: Context
) -> tuple[list[Photo], list[Failure]]:
    """What the photos show, and those without an answer, in the order of the files."""
    done = 0

    async def one(file: str) -> Photo | Failure:
        nonlocal done
        try:
            return _photo(file, await recognizer.recognize_async(folder / file))
        except PhotoError as error:
            return Failure(file=_name(file), reason=str(error))
        finally:
            done += 1
            await context.report_progress(done, len(files))

    try:
        answers = await asyncio.gather(*map(one, files))
    except ServiceError as error:  # every other photo gets the same one
        raise ToolError(str(error)) from error
    photos = [each for each in answers if isinstance(each, Photo)]
    return photos, [each for each in answers if isinstance(each, Failure)]


def _found(index: Path, text: str, count: int, access: Access) -> Finding:
    try:
        from .finding.asking import CANNOT, ServiceGone
        from .finding.finder import find
    except ImportError as error:
        raise ToolError(NEEDED) from error
    try:
        found = find(index, text, count, access, lambda _: None)
    except (*CANNOT, ServiceGone) as error:
        raise ToolError(str(error)) from error
    photos = [FoundPhoto(path=_name(one.path), score=one.score) for one in found.photos]
    return Finding(photos=photos, words=found.words)


def _path(text: str) -> Path:
    try:
        return Path(text.replace("\0", "?")).expanduser()  # which no system has in a path
    except RuntimeError as error:  # ~nobody
        raise ToolError(f"{printable(text)} is not a path: {error}") from error


def _photo(file: str, said: Recognition) -> Photo:
    words = [Word(word=tag.label, confidence=tag.confidence, more_general=list(tag.path)) for tag in said.tags]
    return Photo(file=_name(file), label=said.label, words=words)


def _names(files: Iterable[str]) -> list[str]:
    return [_name(file) for file in files]


def _name(file: str) -> str:
    """A file's name as JSON can have it: what is not Unicode in it is written with escapes."""
    return file.encode(errors="backslashreplace").decode()


def _version() -> str:
    try:
        return version("photo-labels")
    except PackageNotFoundError:  # run from a checkout
        return ""
