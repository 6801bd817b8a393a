"""Runs a module as ``python -m`` does, and ends with the process that started it, whatever way that one ends.

    python local/end_with_parent.py FD NAME MODULE [ARGUMENT ...]

FD is the reading end of a pipe that only the parent holds open; NAME is how ``ps`` and ``top`` list the process; the
module is looked for in the current folder.
"""

import os
import runpy
import sys
import threading
from contextlib import suppress


def _end_with_parent(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(1)


def _set_name(name: str) -> None:
    with suppress(OSError), open("/proc/self/comm", "w") as file:  # noqa: PTH123 - Linux; elsewhere the arguments say it
        file.write(name)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    _set_name(sys.argv[2])
    sys.path[0] = os.getcwd()  # noqa: PTH109
    del sys.argv[:3]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
