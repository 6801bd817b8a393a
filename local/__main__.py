"""python -m local: the functions and a gateway on this computer, until Ctrl-C."""

import os
import signal
import sys

if __name__ == "__main__":
    # Nothing has been started yet: Ctrl-C during the imports ends the program, without a stack trace.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    # curl sends `labels=猫` as it is. aiohttp's parser in Python accepts a target that is not ASCII, but not that in C.
    os.environ["AIOHTTP_NO_EXTENSIONS"] = "1"

    from .command import main

    sys.exit(main())
