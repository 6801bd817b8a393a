"""python -m local: the functions and a gateway on this computer, until Ctrl-C."""

import signal
import sys

if __name__ == "__main__":
    # Nothing has been started yet: Ctrl-C during the imports ends the program, without a stack trace.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from .command import main

    sys.exit(main())
