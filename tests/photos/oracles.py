"""Other programs that decode pictures, where they are installed: libvips, ImageMagick, libheif's and libavif's own."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.photos.plain import Pixels


@dataclass(frozen=True)
class Oracle:
    """A program that makes an upright PNG or PPM in sRGB from the first frame of a file."""

    name: str
    command: Callable[[Path, Path, int], Sequence[str]]
    """With the file, the picture to make, and the most pixels on its longer side, which some programs do not heed."""
    endings: tuple[str, ...] = ()
    """Of the files that it reads; all if there are none."""

    def see(self, file: Path, folder: Path, *, side: int = 9999, timeout: float = 20) -> Pixels | None:
        """The picture in a file, transparent parts on white; None if the program cannot read it.

        Args:
            folder: an empty one, to write to.
            side: the most pixels on the longer side that are wanted.
            timeout: in seconds.
        """
        if self.endings and file.suffix.lower() not in self.endings:
            return None
        target = folder / "picture.png"
        try:
            done = subprocess.run(self.command(file, target, side), capture_output=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            return None
        made = sorted(folder.glob("picture*.png"))
        try:
            return on_white(made[0]) if made and done.returncode == 0 else None
        finally:
            for path in made:
                path.unlink()


def installed() -> tuple[Oracle, ...]:
    """Those that are installed and work; the best first."""
    return tuple(oracle for program, oracle in _ALL if shutil.which(program) and _works(oracle))


def _convert(file: Path, target: Path, side: int) -> Sequence[str]:
    made = (
        "-auto-orient",
        "-resize",
        f"{side}x{side}>",
        "-colorspace",
        "sRGB",
        "-depth",
        "8",
        "-define",
        "png:color-type=6",
    )
    return ("convert", "-limit", "area", "128MP", "-limit", "memory", "1GiB", f"{file}[0]", *made, str(target))


_ALL = (
    (
        "vipsthumbnail",
        Oracle(
            "libvips",
            lambda file, target, side: (
                "vipsthumbnail",
                str(file),
                *("--size", f"{side}x{side}>", "--export-profile", "srgb", "--output", str(target)),
            ),
        ),
    ),
    ("convert", Oracle("ImageMagick", _convert)),
    (
        "avifdec",
        Oracle(
            "libavif", lambda file, target, side: ("avifdec", "-d", "8", str(file), str(target)), (".avif", ".avifs")
        ),
    ),
    (
        "heif-convert",
        Oracle(
            "libheif",
            lambda file, target, side: ("heif-convert", str(file), str(target)),
            (".heic", ".heif", ".hif", ".heics", ".avif"),
        ),
    ),
)


def _works(oracle: Oracle) -> bool:
    """Whether it is the program that its name says."""
    try:
        done = subprocess.run(
            (oracle.command(Path(), Path(), 1)[0], "--version"), capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return oracle.name != "ImageMagick" or b"ImageMagick" in done.stdout.partition(b"\n")[0]


def on_white(path: Path) -> Pixels | None:
    """The picture in a file, transparent parts on white; None if it is not there or broken."""
    try:
        with Image.open(path) as picture:
            if picture.mode.startswith("I"):
                levels = (np.asarray(picture) / 257).round().astype(np.uint8)
                return np.dstack([levels] * 3)
            clear = picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError):
        return None
    canvas = Image.new("RGBA", clear.size, "white")
    canvas.alpha_composite(clear)
    return np.asarray(canvas.convert("RGB"))
