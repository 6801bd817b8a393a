"""The exit codes of every command."""

COMPLETE, INCOMPLETE, WRONG, GONE, SIGNAL = 0, 1, 2, 3, 128
"""That of an interruption has the signal's number added."""
