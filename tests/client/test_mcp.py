"""``photo-labels mcp``, asked by the client of the protocol's own SDK over stdin and stdout."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, TypeVar

import requests
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

from tests.client.command import ENVIRONMENT, command, label
from tests.client.fake_service import FakeService, answer
from tests.client.photos import picture
from tests.launch import PROJECT, Running, free_port

COFFEE = PROJECT / "docs" / "photos" / "coffee.jpg"
T = TypeVar("T")


def served(
    url: str, talk: Callable[[Client], Awaitable[T]], options: Sequence[str | Path] = (), **environment: str
) -> T:
    """What comes of a talk with the server, which is given this service."""
    program, *arguments = command("mcp", "--url", url, *options)
    parameters = StdioServerParameters(command=program, args=arguments, env={**ENVIRONMENT, **environment})

    async def connected() -> T:
        async with Client(parameters, read_timeout_seconds=60) as client:
            return await talk(client)

    # Other tests of this process may have left a loop running in its main thread, as Playwright's do.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, connected()).result()


def call(url: str, tool: str, **arguments: Any) -> CallToolResult:
    async def talk(client: Client) -> CallToolResult:
        return await client.call_tool(tool, arguments)

    return served(url, talk)


def said(result: CallToolResult) -> Any:
    assert not result.is_error, result.content
    return result.structured_content


def problem(result: CallToolResult) -> str:
    assert result.is_error
    [content] = result.content
    assert isinstance(content, TextContent)
    assert "Traceback" not in content.text
    return content.text


def test_its_tools_say_what_they_do(service: FakeService) -> None:
    async def talk(client: Client) -> Any:
        return await client.list_tools()

    tools = {tool.name: tool for tool in served(service.url, talk).tools}

    assert tools.keys() == {"what_is_in", "label_folder", "find"}
    for tool in tools.values():
        assert tool.description
        assert tool.annotations.read_only_hint
    assert tools["what_is_in"].input_schema["required"] == ["path"]
    assert tools["label_folder"].input_schema["required"] == ["folder"]
    assert tools["find"].input_schema["required"] == ["text"]


def test_what_is_in_a_photo(application: Running) -> None:
    url = f"{application.url}/function/clip"
    expected = requests.post(f"{url}?tags=1&vocabulary=all", COFFEE.read_bytes()).json()

    photo = said(call(url, "what_is_in", path=str(COFFEE)))

    assert photo["file"] == str(COFFEE)
    assert photo["label"] == expected["predictions"][0]["label"]
    assert expected["recognized"]
    assert photo["words"] == [
        {"word": tag["label"], "confidence": tag["confidence"], "more_general": tag["path"]} for tag in expected["tags"]
    ]
    assert photo["words"]


def test_a_folder(application: Running, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "coffee.JPG").write_bytes(COFFEE.read_bytes())
    picture(1).save(tmp_path / "a.png")
    (tmp_path / os.fsdecode(b"\xff.jpg")).write_bytes(COFFEE.read_bytes())
    (tmp_path / "notes.jpg").write_text("This is not a photo.")
    (tmp_path / "notes.txt").write_text("Nor is this.")
    (tmp_path / "link.jpg").symlink_to(COFFEE)
    url = f"{application.url}/function/clip"

    async def talk(client: Client) -> tuple[Any, Any, list[tuple[float, float | None]]]:
        seen: list[tuple[float, float | None]] = []

        async def note(progress: float, total: float | None, message: str | None) -> None:
            seen.append((progress, total))

        every = await client.call_tool("label_folder", {"folder": str(tmp_path)}, progress_callback=note)
        first = await client.call_tool("label_folder", {"folder": str(tmp_path), "at_most": 2})
        return said(every), said(first), seen

    every, first, seen = served(url, talk)

    assert [photo["file"] for photo in every["photos"]] == ["a.png", "below/coffee.JPG", r"\udcff.jpg"]
    assert "espresso" in [word["word"] for word in every["photos"][1]["words"]]
    [failure] = every["failures"]
    assert failure["file"] == "notes.jpg"
    assert failure["reason"].startswith("This is not an image")
    assert (every["more"], every["unreadable"]) == (False, [])
    assert sorted(seen) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert first["more"]
    assert len(first["photos"]) + len(first["failures"]) == 2


def test_photos_are_found(application: Running, tmp_path: Path) -> None:
    album, index, url = tmp_path / "album", tmp_path / "photos.sqlite", f"{application.url}/function/clip"
    album.mkdir()
    coffee = album / os.fsdecode(b"coffee \xff.jpg")
    coffee.write_bytes(COFFEE.read_bytes())
    picture(1).save(album / "a.png")

    async def talk(client: Client) -> list[CallToolResult]:
        before = await client.call_tool("find", {"text": "a cup of espresso"})
        indexed = await asyncio.to_thread(label, "index", album, "--index", index, "--url", url)
        assert indexed.returncode == 0
        texts = ("a cup of espresso", "zebra", "flurb", "!")
        return [before, *[await client.call_tool("find", {"text": text, "at_most": 1}) for text in texts]]

    before, found, nothing, unknown, empty = served(url, talk, ("--index", index))

    assert f"`photo-labels index FOLDER --index {index}` makes it" in problem(before)
    [photo] = said(found)["photos"]
    assert photo["path"] == str(album / r"coffee \udcff.jpg")
    assert 0.1 < photo["score"] <= 1
    assert "espresso" in said(found)["words"]
    assert said(nothing) == {"photos": [], "words": ["zebra"]}
    assert "does not know: flurb" in problem(unknown)
    assert "There is no word in this text" in problem(empty)


def test_what_cannot_be_asked(service: FakeService, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("private")
    (tmp_path / "link.jpg").symlink_to(secret)
    cases = {
        ("what_is_in", "path", str(secret)): "does not have the name of a photo",
        ("what_is_in", "path", str(tmp_path / "link.jpg")): "cannot be read",
        ("what_is_in", "path", str(tmp_path / "gone.jpg")): "No such file",
        ("what_is_in", "path", "/dev/stdin\x00.jpg"): "No such file",
        ("what_is_in", "path", "~nobody-here/a.jpg"): "is not a path",
        ("label_folder", "folder", str(secret)): "is not a folder",
        ("label_folder", "folder", "\x1b[2J"): "?[2J is not a folder",
    }

    async def talk(client: Client) -> list[str]:
        asked = [await client.call_tool(tool, {name: value}) for tool, name, value in cases]
        many = await client.call_tool("label_folder", {"folder": str(tmp_path), "at_most": 501})
        assert "at_most" in problem(many)
        return [problem(each) for each in asked]

    for text, words in zip(served(service.url, talk), cases.values(), strict=True):
        assert words in text
    assert not service.answered


def test_a_service_that_is_away_or_refuses(service: FakeService) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/clip"
    assert "Connection refused" in problem(call(nobody, "what_is_in", path=str(COFFEE)))

    def refuse(request: BaseHTTPRequestHandler) -> bool:
        keyless = request.headers.get("X-Api-Key") != "secret"
        if keyless:
            answer(request, 401, {"error": {"code": "unauthorized", "message": "An API key is needed."}})
        return keyless

    service.describe = refuse
    folder = str(COFFEE.parent)
    assert "An API key is needed" in problem(call(service.url, "label_folder", folder=folder))

    async def talk(client: Client) -> Any:
        return await client.call_tool("label_folder", {"folder": folder})

    assert said(served(service.url, talk, CLIP_API_KEY="secret"))["failures"]  # too large for this service


def run(*arguments: str, environment: dict[str, str] = ENVIRONMENT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("mcp", *arguments),
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_ends_with_its_input(service: FakeService) -> None:
    ended = run("--url", service.url)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_without_its_package_or_with_wrong_options(tmp_path: Path) -> None:
    program = "import sys; sys.modules['mcp'] = None; from photo_labels.__main__ import main; sys.exit(main())"
    without = subprocess.run(
        [sys.executable, "-c", program, "mcp"],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (without.returncode, without.stdout) == (2, "")
    assert without.stderr == "This command needs another package: pip install 'photo-labels[mcp]'\n"
    assert run("--url", "nowhere").returncode == 2
    wrong = run("--key-file", str(tmp_path / "none"))
    assert wrong.returncode == 2
    assert "cannot be read" in wrong.stderr
