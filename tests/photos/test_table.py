"""Every way to encode a photograph against the photograph, and against what other decoders see."""

import base64
import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from backend.clip.errors import RequestError
from tests.functions import clip
from tests.launch import Running
from tests.photos.encoding import Encoding
from tests.photos.oracles import installed, on_white
from tests.photos.plain import PHOTOGRAPHS, Pixels, photograph, psnr, read
from tests.photos.table import table

ENOUGH = 25
"""PSNR in dB. What was read wrongly stayed under 23."""
ALIKE = 20
"""PSNR in dB: the same picture to another decoder, with its own idea of colors."""
TABLE = {row.name: row for row in table()}


def made(row: Encoding, name: str) -> bytes:
    """The photograph's file. The test is skipped where nothing can make it."""
    if row.program and shutil.which(row.program) is None:
        pytest.skip(f"{row.program} is not installed")
    return row.make(photograph(name))


@pytest.mark.parametrize("photo", PHOTOGRAPHS)
@pytest.mark.parametrize("name", TABLE)
def test_what_is_read_is_the_photograph(name: str, photo: str) -> None:
    row = TABLE[name]
    expected = row.see(photograph(photo))
    size = (expected.shape[1], expected.shape[0])
    data = made(row, photo)

    if row.refused:
        with pytest.raises(RequestError) as refusal:
            read(data, size)
        assert refusal.value.code == row.refused
        return
    pixels, own_size, warnings = read(data, size)

    assert own_size == size
    assert warnings == row.warnings
    rows = round(row.rows * size[1])
    assert psnr(pixels[:rows], expected[:rows]) > ENOUGH


def test_wrong_pictures_are_not_enough() -> None:
    """What the table is for: a negative, other channels, a turned one, a black one."""
    for name in PHOTOGRAPHS:
        right = photograph(name)
        for wrong in (255 - right, right[..., ::-1], right[::-1], right[:, ::-1], np.zeros_like(right)):
            assert psnr(wrong, right) < ALIKE


@pytest.mark.skipif(shutil.which("vipsthumbnail") is None, reason="libvips is not installed")
def test_other_decoders_see_the_same_in_the_files(tmp_path: Path) -> None:
    """The table itself: a file may be wrong, and be read as it was written."""
    photo = PHOTOGRAPHS[0]
    files: dict[str, Path] = {}
    for number, row in enumerate(TABLE.values()):
        if not (row.alone or row.refused) and (not row.program or shutil.which(row.program)):
            ending = "heic" if row.name.startswith("heif") else row.name.split()[0].strip(",")
            files[row.name] = tmp_path / f"{number}.{ending}"
            files[row.name].write_bytes(row.make(photograph(photo)))

    # One process for all. What it cannot read it leaves out.
    command = ("vipsthumbnail", *map(str, files.values()), "--size", "9999x9999>", "--export-profile", "srgb")
    subprocess.run((*command, "--output", "%s.seen.png[compression=1]"), capture_output=True, timeout=120, check=False)

    others = [oracle for oracle in installed() if oracle.name != "libvips"]
    unlike = []
    for name, file in files.items():
        expected = TABLE[name].see(photograph(photo))
        seen = on_white(file.with_suffix(".seen.png"))
        views = (seen, *(oracle.see(file, tmp_path) for oracle in others)) if not alike(seen, expected) else (seen,)
        if not any(alike(view, expected) for view in views):
            unlike.append(name)
    assert unlike == []


def alike(view: Pixels | None, expected: Pixels) -> bool:
    return view is not None and view.shape == expected.shape and psnr(view, expected) > ALIKE


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with clip() as program:
        yield program


THROUGH_HTTP = (
    *(f"{name} orientation 6" for name in ("jpeg", "png", "tiff", "webp", "avif", "heif")),
    "gif with a hole",
    "png with alpha in linear",
    "bmp, 16 bits",
    "jpeg cut off",
    "raw NEF orientation 6",
    "raw CR3 orientation 8",
)


@pytest.mark.parametrize("name", THROUGH_HTTP)
def test_through_http_the_preview_is_the_photograph(name: str, service: Running) -> None:
    row, photo = TABLE[name], PHOTOGRAPHS[0]
    expected = row.see(photograph(photo))

    answer = requests.post(service.url, data=made(row, photo), params={"preview": "1"}, timeout=60).json()

    assert answer.get("warnings", []) == list(row.warnings)
    with Image.open(io.BytesIO(base64.b64decode(answer["preview"].partition(",")[2]))) as preview:
        pixels = np.asarray(preview.convert("RGB"))
    rows = round(row.rows * len(expected))
    assert psnr(pixels[:rows], expected[:rows]) > ENOUGH
