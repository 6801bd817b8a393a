"""Runs a function as a process on this computer: starts it, starts it again when it ends, and ends it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from .stack import Function

END_WITH_PARENT = Path(__file__).parent / "end_with_parent.py"

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
# In seconds: a process that has run this long has not failed at its start.
_STABLE = 10.0
_READY_TIMEOUT = 120.0
_STOP_TIMEOUT = 8.0
_LAST_OUTPUT_TIMEOUT = 1.0
# The gateway looks whether a function is ready; in a container the watchdog looks for its lock file.
_NOT_HERE = ("suppress_lock",)


class StartError(Exception):
    """A function does not start. The message says which one and why, if that is known."""


class Process:
    """One function's server. ``folder`` is the assembled function, ``say`` prints a line on the terminal."""

    def __init__(self, function: Function, folder: Path, extra: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.function = function
        self.url = f"http://127.0.0.1:{free_port()}"
        self.started = False
        self._folder = folder
        self._environment = {
            **os.environ,
            **{name: value for name, value in function.environment.items() if name not in _NOT_HERE},
            **extra,
            "upstream_url": self.url,
        }
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._output: asyncio.Task[None] | None = None

    async def run(self, pipe: int) -> None:
        """Keep the process running until this is cancelled; ``pipe`` is what ``end_with_parent.py`` reads.

        Raises:
            StartError: it has ended before it was ready.
        """
        delay = _FIRST_DELAY
        try:
            while True:
                started = time.monotonic()
                status = await self._run_once(pipe)
                if not self.started:
                    raise StartError(f"{self.function.name} cannot start (status {status}): its log above says why.")
                delay = _FIRST_DELAY if time.monotonic() - started > _STABLE else min(2 * delay, _LONGEST_DELAY)
                self._say(f"{self.function.name} ended with status {status}; it is started again in {delay:g} s.")
                await asyncio.sleep(delay)
        finally:
            await asyncio.shield(self._stop())

    async def _run_once(self, pipe: int) -> int:
        # Not a pipe of asyncio's: with one, the process counts as running for as long as any child of it has the pipe.
        output, its_output = os.pipe()
        self._output = asyncio.create_task(self._pass_on(output))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(END_WITH_PARENT), str(pipe), self.function.name, "index"),
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=its_output,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(pipe,),
                # Ctrl-C in a terminal goes to the parent alone, which then ends its children in order.
                start_new_session=True,
            )
        finally:
            os.close(its_output)
        status = await self._process.wait()
        await self._pass_on_the_last()
        return status

    async def _pass_on_the_last(self) -> None:
        """Pass on what the process, which has ended, said before; a child that is still there may say nothing more."""
        if self._output is not None:
            await asyncio.wait([self._output], timeout=_LAST_OUTPUT_TIMEOUT)
            self._output.cancel()

    async def _pass_on(self, pipe: int) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb"))
        rest = b""
        try:
            while block := await reader.read(65536):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._say(f"{self.function.name} | {line.decode(errors='replace')}")
        finally:
            transport.close()
            if rest:
                self._say(f"{self.function.name} | {rest.decode(errors='replace')}")

    async def wait_until_ready(self, session: aiohttp.ClientSession) -> None:
        """Wait until the function is ready.

        Raises:
            StartError: the handler cannot be imported, or is not loaded after two minutes.
        """
        end = time.monotonic() + _READY_TIMEOUT
        while time.monotonic() < end:
            try:
                async with session.get(f"{self.url}/ready") as answer:
                    await answer.read()  # else the function logs that its client has gone
                    if answer.status == 200:
                        self.started = True
                        return
                    if "Retry-After" not in answer.headers:
                        raise StartError(f"{self.function.name} cannot start: its log above says why.")
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
        raise StartError(f"{self.function.name} is not ready after {_READY_TIMEOUT:g} s.")

    async def _stop(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            # One that is still being imported would end with a stack trace, and has nothing to finish.
            process.send_signal(signal.SIGINT if self.started else signal.SIGKILL)
            try:
                await asyncio.wait_for(process.wait(), _STOP_TIMEOUT)
            except TimeoutError:
                process.kill()
                await process.wait()
        await self._pass_on_the_last()


def end(process: "subprocess.Popen[Any]", timeout: float) -> None:
    """Interrupt a process, kill it when it has not ended after ``timeout`` seconds, and wait for its end."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
