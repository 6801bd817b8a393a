"""photo-labels mcp: the recognizer as tools of an assistant, by the Model Context Protocol. See docs/assistants.md.

Its package is an extra one, ``photo-labels[mcp]``, which the other commands do without.
"""

import argparse
import signal
import sys
from collections.abc import Sequence

from ..finding.access import Access
from ..recognizer import Recognizer
from .exit_codes import SIGNAL, WRONG
from .options import add_index, add_service, api_key

_MISSING = "This command needs another package: pip install 'photo-labels[mcp]'"
# In seconds. Assistants wait for a minute, and a message helps them more than silence.
_TIMEOUT, _WAIT = 30.0, 5.0


def main(arguments: Sequence[str]) -> int:
    """Serve the tools on stdin and stdout until stdin ends; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="photo-labels mcp",
        description="Gives an assistant the tools what_is_in, label_folder and find, on stdin and stdout.",
    )
    add_service(parser)
    add_index(parser)
    given = parser.parse_args(arguments)
    key = api_key(parser, given)
    try:
        from ..assistant import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        print(_MISSING, file=sys.stderr)
        return WRONG
    index, access = given.index.absolute(), Access(given.url, key, 1, _TIMEOUT, _WAIT)
    recognizer = Recognizer(given.url, key=key, vocabulary="all", tags=True, timeout=_TIMEOUT, wait=_WAIT)
    with recognizer:
        try:
            server(recognizer, index, access).run()
        except KeyboardInterrupt:
            return SIGNAL + signal.SIGINT
    return 0
