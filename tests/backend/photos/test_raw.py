"""The preview in camera raw files: files that lie, and files without one. Whole ones are in tests/photos."""

import random
import struct
from collections.abc import Iterator

import pytest

from backend.clip.deadline import Deadline
from backend.clip.decoders.lanes import Decoders
from backend.clip.errors import CorruptImage, UnsupportedImage
from backend.clip.photos.formats import RAW, sniff
from backend.clip.photos.image import read_photo
from backend.clip.photos.preprocessing import Preprocessing
from backend.clip.photos.raw import RawPreview, raw_preview
from tests.hardening.samples import mutated
from tests.pictures import encoded, photo
from tests.raws import LONG, MAKERS, SHORT, TiffFile, dng, dng_without_jpeg, dng_without_preview

PREVIEW = encoded(photo((160, 120)), "JPEG")
SUB_DIRECTORIES, STRIPS, PHOTOMETRIC, CFA = 330, 273, 262, 32803


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    running = Decoders()
    yield running
    running.close()


def found(data: bytes) -> RawPreview | None:
    name = sniff(data)
    assert name in (RAW, "TIFF")
    return raw_preview(data, name)


@pytest.mark.parametrize("maker", MAKERS)
def test_the_preview_is_cut_out_to_the_byte(maker: str) -> None:
    preview = found(MAKERS[maker](PREVIEW, 6))
    assert preview is not None
    if maker == "RAF":  # its orientation is in the preview
        assert preview.file[-1000:] == PREVIEW[-1000:]
        assert preview.orientation == 1
    else:
        assert preview == RawPreview(PREVIEW, "JPEG", 6)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_preview_with_a_thumbnail_and_restarts_is_whole(progressive: bool) -> None:
    exif = b"\xff\xe1" + struct.pack(">H", len(PREVIEW) + 8) + b"Exif\0\0" + PREVIEW
    large = encoded(photo((320, 240)), "JPEG", progressive=progressive, restart_marker_blocks=2)
    preview = found(dng(large[:2] + exif + large[2:]))
    assert preview is not None
    assert preview.file == large[:2] + exif + large[2:]


@pytest.mark.parametrize("compression", [None, "jpeg", "tiff_lzw"])
def test_a_tiff_of_a_picture_is_not_raw(compression: str | None) -> None:
    assert found(encoded(photo((64, 64)), "TIFF", compression=compression)) is None


def test_a_picture_without_compression_is_taken_where_there_is_no_jpeg() -> None:
    read = read_photo(dng_without_jpeg(), Preprocessing((12, 16), "squash"))
    assert (read.size, read.warnings) == ((16, 12), ("preview_of_raw",))
    assert read.pixels.tobytes() == photo((16, 12), 9).tobytes()


@pytest.mark.parametrize("data", [dng_without_preview(), b"FUJIFILMCCD-RAW ", b"IIU\0" + bytes(100)])
def test_a_raw_file_without_a_preview_is_named(data: bytes, decoders: Decoders) -> None:
    with pytest.raises(UnsupportedImage, match="camera raw file without a preview"):
        decoders.read_photo(data, Preprocessing((32, 32)), Deadline.unlimited())


def circle() -> bytes:
    """Each directory has all of them below it, and is followed by itself."""
    count = 60
    data = bytearray(b"II*\0" + struct.pack("<I", 1000) + bytes(100_000))
    places = [1000 + 100 * number for number in range(count)]
    data[50_000 : 50_000 + 4 * count] = struct.pack(f"<{count}I", *places)
    for place in places:
        entry = struct.pack("<HHII", SUB_DIRECTORIES, LONG, count, 50_000)
        data[place : place + 18] = struct.pack("<H", 1) + entry + struct.pack("<I", place)
    return bytes(data)


def same_values() -> bytes:
    """Many directories with very many strips, all of which are the same bytes of the file."""
    file = TiffFile()
    values = struct.pack("<I", 0) * (1 << 14)
    at = file.put(values)
    entries = b"".join(struct.pack("<HHII", STRIPS, LONG, 1 << 14, at) for _ in range(60_000))
    following = 0
    for _ in range(20):
        following = file.put(struct.pack("<H", 60_000) + entries + struct.pack("<I", following))
    return file.end(following)


def long_segments() -> bytes:
    """Beginnings of JPEGs that have many small segments and no frame."""
    return b"IIU\0" + (b"\xff\xd8" + b"\xff\xe0\0\2" * 2000) * 2000


HOSTILE = {
    "directories in a circle": circle(),
    "the same values many times": same_values(),
    "JPEGs without a frame": long_segments(),
    "nothing but beginnings": b"IIU\0" + b"\xff\xd8\xff" * 5_000_000,
    "an offset outside": b"II*\0\xff\xff\xff\xff",
    "a count of 2**32 - 1": b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", PHOTOMETRIC, SHORT, 2**32 - 1, 8) + bytes(4),
    "a directory that ends early": b"II*\0\x08\0\0\0\xff\xff\1",
    "a header alone": b"MM\0*",
    "a CR3 that ends in its metadata": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom\0\0\0\x10CMT1II",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_within_the_limits_of_a_decoder(name: str, decoders: Decoders) -> None:
    with pytest.raises((UnsupportedImage, CorruptImage)):
        decoders.read_photo(HOSTILE[name], Preprocessing((32, 32)), Deadline.unlimited())


@pytest.mark.parametrize("maker", MAKERS)
def test_a_mutated_file_gives_a_part_of_itself_or_is_refused(maker: str) -> None:
    source = random.Random(maker)
    data = MAKERS[maker](PREVIEW)
    for _ in range(300):
        changed = mutated(data, source)
        name = sniff(changed)
        if name not in (RAW, "TIFF"):
            continue
        try:
            preview = raw_preview(changed, name)
        except UnsupportedImage:
            continue
        if preview is not None:
            assert preview.file in changed
