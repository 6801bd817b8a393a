"""The everyday words in other languages in the form that an exported model folder has them.

    python -m backend.clip.export.languages backend/clip/model

writes them anew into a model folder, after a word was corrected in ``words/``. Needs nothing but NumPy.

``languages.tsv`` is a table: in its first row the languages, English first, in each other row a word's names.
``names.tsv`` says what a name stands for, a line for each: the name as ``folding.py`` has it, a tab, and for each
language ``LANGUAGE:ROW``, with ``~`` in place of the colon where it is a looser form. The lines are in the order of
their bytes. The row -1 is that of the words of ``english.txt``. Both files are the same for every model.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from ..manifest import Manifest, hashes
from ..recognition.folding import fold, keys
from ..recognition.languages import ENGLISH, GUARDED, LOOSE, NAMES, STRICT, TABLE
from ..recognition.plurals import plurals
from .names import LANGUAGES, Names, read_names
from .words import read_words

FILES = (TABLE, NAMES)
_GUARDED_WORDS = Path(__file__).with_name("english.txt")


def write_languages(folder: Path) -> None:
    """Write the two files of the languages.

    Raises:
        ValueError: a list cannot be read, or a name stands for two words in a language.
    """
    words = read_words()
    names = {language: read_names(language, words.names) for language in LANGUAGES}
    table = [
        (ENGLISH, *LANGUAGES),
        *zip(words.names, *([each.name for each in of] for of in names.values()), strict=True),
    ]
    (folder / TABLE).write_text("".join("\t".join(row) + "\n" for row in table), encoding="utf-8")
    entries: dict[str, list[str]] = {}
    for key, row in _english(words.names, words.also).items():
        entries.setdefault(key, []).append(f"{ENGLISH}{STRICT}{row}")
    for language, of in names.items():
        strict, loose = _keys(of, language)
        for kind, rows in ((STRICT, strict), (LOOSE, loose)):
            for key, row in rows.items():
                entries.setdefault(key, []).append(f"{language}{kind}{row}")
    lines = sorted(f"{key}\t{' '.join(of)}\n".encode() for key, of in entries.items())
    (folder / NAMES).write_bytes(b"".join(lines))


def guarded_words() -> tuple[str, ...]:
    """The words of ``english.txt``."""
    lines = _GUARDED_WORDS.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def _english(words: tuple[str, ...], also: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    """The row of each English name and plural, and of each guarded word, as ``fold`` has them."""
    rows: dict[str, int] = {}
    names = [(name, *others) for name, others in zip(words, also, strict=True)]
    for forms in (lambda name: (name,), plurals):
        for row, of in enumerate(names):
            for name in of:
                for form in forms(fold(name)):
                    rows.setdefault(form, row)
    return dict.fromkeys(map(fold, guarded_words()), GUARDED) | rows


def _keys(names: tuple[Names, ...], language: str) -> tuple[dict[str, int], dict[str, int]]:
    """The row of each name in a language, and of each looser form that is none of the names and stands for one word."""
    strict: dict[str, int] = {}
    loose: dict[str, set[int]] = {}
    for row, of in enumerate(names):
        for name in of.all():
            key, looser = keys(name, language)
            if strict.setdefault(key, row) != row:
                raise ValueError(f"{language}: {name} stands for {names[strict[key]].name} and {of.name}")
            loose.setdefault(looser, set()).add(row)
    return strict, {key: min(rows) for key, rows in loose.items() if len(rows) == 1 and key not in strict}


def main() -> int:
    parser = argparse.ArgumentParser(prog="languages", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path, help="an exported model folder, in which they are written anew")
    folder = parser.parse_args().model
    try:
        manifest = Manifest.read(folder)
        write_languages(folder)
        replace(manifest, files=dict(sorted({**manifest.files, **hashes(folder, FILES)}.items()))).write(folder)
    except (OSError, ValueError) as error:
        print(f"languages: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
