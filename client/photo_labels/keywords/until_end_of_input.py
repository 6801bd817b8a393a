"""Runs ExifTool until this program's input ends, which it does when the program that writes it ends, in whatever way.

ExifTool itself waits for more at the end of its input, and would be left running for ever.
"""

import os
import subprocess
import sys

_INPUT, _OUTPUT = 0, 1
_END = b"-stay_open\nFalse\n"


def main(program: str) -> None:
    with subprocess.Popen([program, "-stay_open", "True", "-@", "-"], stdin=subprocess.PIPE, bufsize=0) as exiftool:  # noqa: S603
        assert exiftool.stdin  # noqa: S101
        os.close(_OUTPUT)  # so that its end is seen there
        try:
            while block := os.read(_INPUT, 65536):
                exiftool.stdin.write(block)
            exiftool.stdin.write(_END)
        except BrokenPipeError:  # it has ended
            pass


if __name__ == "__main__":
    main(sys.argv[1])
