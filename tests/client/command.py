"""Runs the client as a process."""

import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal

from tests.launch import PROJECT

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "CLIP_API_KEY"} | {
    "PYTHONPATH": str(PROJECT / "client")
}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "photo_labels", *map(str, arguments)]


def label(
    *arguments: str | Path, stdout: IO[str] | int = subprocess.PIPE, environment: Mapping[str, str] = ENVIRONMENT
) -> subprocess.CompletedProcess[str]:
    """Runs the client to its end. What it writes to stderr is not a stack trace."""
    ended = subprocess.run(
        command(*arguments),
        cwd=PROJECT,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    return ended


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts the client, with pipes for what it writes."""
    return subprocess.Popen(
        command(*arguments),
        cwd=PROJECT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def on_a_terminal(stream: Literal["stdout", "stderr"], *arguments: str | Path) -> tuple[str, str]:
    """Runs the client to its end. What a terminal of 120 columns got as this stream, and what the other one got."""
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (25, 120))
    settings = termios.tcgetattr(end)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(end, termios.TCSANOW, settings)

    def seen() -> bytes:
        # A terminal that nobody reads takes 4 KB, and then holds who writes to it.
        blocks = []
        with suppress(OSError):  # the end of a terminal, on Linux
            while block := os.read(terminal, 65536):
                blocks.append(block)
        os.close(terminal)
        return b"".join(blocks)

    with (
        ThreadPoolExecutor(1) as reader,
        subprocess.Popen(
            command(*arguments),
            cwd=PROJECT,
            env=ENVIRONMENT,
            stdout=end if stream == "stdout" else subprocess.PIPE,
            stderr=end if stream == "stderr" else subprocess.PIPE,
            text=True,
        ) as process,
    ):
        os.close(end)
        reading = reader.submit(seen)
        try:
            other = "".join(filter(None, process.communicate(timeout=60)))
        finally:
            process.kill()
        return reading.result().decode(), other


def results(text: str) -> dict[str, Any]:
    """The answers in JSON Lines by their files, of which each must stand there once, after what they are of."""
    if not text:
        return {}
    first, *said = [json.loads(line) for line in text.splitlines()]
    assert first.keys() == {"run"}
    for each in said:
        assert each.pop("bytes") >= 0
        assert each.pop("modified")
    files = {each.pop("file"): each for each in said}
    assert len(files) == len(said)
    return files
