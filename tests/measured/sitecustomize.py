"""What every Python process runs at its start while `make coverage` measures.

Decoders end by SIGKILL, and with them all that coverage knows of them: it is saved before each of their answers.
"""

import os
import sys
from typing import NoReturn


def _save_before_answers() -> None:
    import posix
    from multiprocessing.connection import Connection

    from coverage import Coverage

    measuring = Coverage.current()
    assert measuring is not None
    send = Connection.send_bytes

    def save_and_send(connection: Connection, data: bytes) -> None:
        measuring.save()
        send(connection, data)

    Connection.send_bytes = save_and_send  # type: ignore[assignment]
    save_and_exit = os._exit

    # Not as well when it is told to end: SIGKILL would come in the middle of it, and leave a broken file.
    def exit_(status: int) -> NoReturn:
        (save_and_exit if sys.exception() else posix._exit)(status)

    os._exit = exit_


if "coverage" in sys.modules:
    os.register_at_fork(after_in_child=_save_before_answers)
