"""Labels a folder with the application that is running on this computer, or starts one for the time that it takes.

    python -m local.label PORT FOLDER [OPTION ...]

The options are those of ``photo-labels``.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "client"))  # a package of its own, which is not installed here

from photo_labels.commands.exit_codes import COMPLETE, INCOMPLETE
from photo_labels.commands.label import main as client
from photo_labels.service import Service, ServiceDown, ServiceRefuses

from .process import END_WITH_PARENT, end, free_port

PROJECT = Path(__file__).parent.parent
CLIENT = PROJECT / "client"
_STOP_TIMEOUT = 15.0


class StartError(Exception):
    """The application does not start. The message is what it has printed."""


def main() -> int:
    port, *arguments = sys.argv[1:]
    if not (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536):
        sys.stderr.write(f"{port} is not a port: choose one from 1024 to 65535.\n")
        return 2
    if _runs(int(port)):
        return _label(arguments, int(port), int(port))
    try:
        with application() as own:
            return _label(arguments, own, int(port))
    except StartError as error:
        sys.stderr.write(str(error))
        return 1


def _label(arguments: Sequence[str], port: int, asked_for: int) -> int:
    """Run the client, and say nothing of files that have failed: it has, and make would add its own "Error 1"."""
    status = client([*arguments, "--url", url_of(port)], known_as=url_of(asked_for))
    return COMPLETE if status == INCOMPLETE else status


def url_of(port: int) -> str:
    """The address of ``clip`` behind the gateway on this port."""
    return f"http://127.0.0.1:{port}/function/clip"


def _runs(port: int) -> bool:
    try:
        Service(url_of(port), [], os.environ.get("CLIP_API_KEY", ""), 10, 1).describe()
    except (ServiceDown, ServiceRefuses):
        return False
    return True


@contextmanager
def application() -> Iterator[int]:
    """Run the application until the block ends; gives the gateway's port.

    Raises:
        StartError: it does not start.
    """
    port = free_port()
    reading_end, writing_end = os.pipe()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, str(END_WITH_PARENT), str(reading_end), "local", "local", "--port", str(port)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(reading_end,),
        # Ctrl-C goes to the client alone, which needs the application for the photos in flight.
        start_new_session=True,
    )
    os.close(reading_end)
    try:
        said = ""
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            if line.startswith("Ready."):
                break
            said += line
        else:
            raise StartError(said)
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield port
    finally:
        end(process, _STOP_TIMEOUT)
        os.close(writing_end)


if __name__ == "__main__":
    sys.exit(main())
