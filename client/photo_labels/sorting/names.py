"""Names of folders for words. A word comes from a service, and may be anything; a folder may be read on any system.

pathvalidate, which does this for names of files, leaves ``..``, a dot in front and what turns the direction of text.
"""

import re
import unicodedata

NOT_RECOGNIZED = "(not recognized)"
"""The folder of photos without a word."""
_MOST_BYTES = 100
# On Windows. https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_NOT_IN_NAMES = frozenset('<>:"/\\|?*')
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)
# Hindi and Arabic words may have these, which join letters and keep them apart.
_JOINERS = "\u200c\u200d"
_REPLACEMENT = "_"


def folder_name(word: str | None) -> str:
    """The name of the folder for a word, one that every system takes; for no word ``NOT_RECOGNIZED``."""
    if word is None:
        return NOT_RECOGNIZED
    safe = "".join(_safe(character) for character in unicodedata.normalize("NFC", word)).strip()
    safe = safe.encode()[:_MOST_BYTES].decode(errors="ignore").rstrip(". ")
    # Not hidden, and not what would mean a device.
    return _REPLACEMENT + safe.lstrip(".") if not safe or safe[0] == "." or _RESERVED.match(safe) else safe


def _safe(character: str) -> str:
    kind = unicodedata.category(character)
    is_control = kind[0] == "C" and character not in _JOINERS
    return _REPLACEMENT if is_control or kind in ("Zl", "Zp") or character in _NOT_IN_NAMES else character
