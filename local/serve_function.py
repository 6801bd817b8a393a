"""Runs a function's server, and ends with the process that started it, whatever way that one ends.

    python local/serve_function.py FD

FD is the reading end of a pipe that only the parent holds open; the current folder is the function's.
"""

import os
import runpy
import sys
import threading


def _end_with_parent(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    sys.path[0] = os.getcwd()  # noqa: PTH109
    runpy.run_path("index.py", run_name="__main__")
