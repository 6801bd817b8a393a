"""Firefox, driven by its own remote protocol, Marionette: no driver is needed beside the browser.

https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

PATIENCE = 30  # seconds
PREFERENCES = {
    "marionette.port": 0,  # any; it is written into the profile
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    # Nothing goes out to Mozilla.
    "app.normandy.enabled": False,
    "browser.region.network.url": "",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.server": "",
}


def installed() -> str | None:
    """The path of Firefox, None if there is none."""
    return next((path for name in ("firefox-esr", "firefox") if (path := shutil.which(name))), None)


class Firefox:
    """A running browser with one window, which listens to this connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")
        self._numbers = count(1)
        self._read()  # its greeting
        self.send("WebDriver:NewSession", {})

    def close(self) -> None:
        """Lets go of the connection."""
        self._file.close()

    def send(self, command: str, parameters: dict[str, Any]) -> Any:
        """The result of a command of WebDriver. Raises AssertionError with what Firefox says of an error."""
        message = json.dumps([0, next(self._numbers), command, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        assert not error, error
        return result

    def _read(self) -> Any:
        length = b""
        while (character := self._file.read(1)) != b":":
            length += character
        return json.loads(self._file.read(int(length)))

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns that runs in the page."""
        return self.send("WebDriver:ExecuteScript", {"script": script, "args": arguments})["value"]

    def wait_for(self, condition: str) -> None:
        """Fails the test unless an expression in the page becomes true."""
        end = time.monotonic() + PATIENCE
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, f"{condition}: {self.run('return document.body.innerText')}"
            time.sleep(0.05)

    def choose(self, selector: str, *paths: Path) -> None:
        """Chooses files in an input, as a person does."""
        found = self.send("WebDriver:FindElement", {"using": "css selector", "value": selector})
        [element] = found["value"].values()
        text = "\n".join(map(str, paths))
        self.send("WebDriver:ElementSendKeys", {"id": element, "text": text})


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A headless Firefox with a profile in an empty folder."""
    program = installed()
    assert program
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines))
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    environment = os.environ | {"HOME": str(profile)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port = profile / "MarionetteActivePort"
            end = time.monotonic() + PATIENCE
            while not (port.exists() and port.read_text()):
                assert time.monotonic() < end, "Firefox does not start"
                time.sleep(0.05)
            with socket.create_connection(("127.0.0.1", int(port.read_text())), PATIENCE) as connection:
                browser = Firefox(connection)
                yield browser
                browser.close()
        finally:
            process.terminate()
