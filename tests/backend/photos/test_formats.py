"""Formats by their first bytes, with Pillow's own plugins as the oracle, and the brands that these do not look at."""

import numpy as np
import pytest
from PIL import Image

from backend.clip.photos import image  # noqa: F401 (registers AVIF and HEIF)
from backend.clip.photos.formats import FORMATS, RAW, sniff
from backend.clip.photos.image import read_pixels
from backend.clip.photos.preprocessing import Preprocessing
from tests.pictures import encoded, photo
from tests.raws import MAKERS

AS_PILLOW_DOES = [name for name in FORMATS if name not in ("AVIF", "HEIF")]


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_known_by_its_first_bytes(name: str) -> None:
    assert sniff(encoded(photo((32, 32)), name)) == name


def test_nothing_else_is_known() -> None:
    for data in (b"", b"\x00" * 64, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF"):
        assert sniff(data) is None


@pytest.mark.parametrize("name", AS_PILLOW_DOES)
def test_pillow_agrees_on_every_change_of_the_first_bytes(name: str) -> None:
    accept = Image.OPEN[name][1]
    assert accept is not None
    prefix = encoded(photo((32, 32)), name)[:16]
    for at in range(16):
        for value in range(256):
            changed = prefix[:at] + bytes([value]) + prefix[at + 1 :]
            assert (sniff(changed) == name) == bool(accept(changed)), changed


@pytest.mark.parametrize("maker", MAKERS)
def test_camera_raw_files_are_known_by_their_first_bytes(maker: str) -> None:
    as_tiff = ("DNG", "NEF", "ARW", "CR2", "PEF")
    assert sniff(MAKERS[maker](b"")) == ("TIFF" if maker in as_tiff else RAW)


def rebranded(data: bytes, major: bytes, *compatible: bytes) -> bytes:
    """The file with other brands, and no other length: offsets in it stay right."""
    size = int.from_bytes(data[:4])
    brands = b"".join(compatible).ljust(size - 16, b"\0")
    assert len(brands) == size - 16, "no place for so many brands"
    return data[:8] + major + bytes(4) + brands + data[size:]


@pytest.mark.parametrize(
    ("encoder", "major", "compatible", "name"),
    [
        ("HEIF", b"mif1", (b"heic", b"mif1"), "HEIF"),
        ("HEIF", b"mif1", (b"mif1", b"heix"), "HEIF"),
        ("HEIF", b"mif2", (b"heic", b"mif2"), "HEIF"),
        ("HEIF", b"msf1", (b"hevc", b"heic"), "HEIF"),
        ("HEIF", b"miaf", (b"mif1", b"heic"), "HEIF"),
        *(("HEIF", major, (b"mif1", b"heic"), "HEIF") for major in (b"heic", b"heix", b"heim", b"heis", b"hevc")),
        ("AVIF", b"mif1", (b"avif", b"mif1"), "AVIF"),
        ("AVIF", b"miaf", (b"mif1", b"avif"), "AVIF"),
        ("AVIF", b"avif", (b"mif1", b"miaf"), "AVIF"),
        ("AVIF", b"mif1", (b"mif1", b"avif"), "AVIF"),
    ],
)
def test_brands_tell_avif_and_heif_apart(encoder: str, major: bytes, compatible: tuple[bytes, ...], name: str) -> None:
    data = encoded(photo((64, 64)), encoder)
    preprocessing = Preprocessing((32, 32))

    changed = rebranded(data, major, *compatible)

    assert sniff(changed) == name
    np.testing.assert_array_equal(read_pixels(changed, preprocessing), read_pixels(data, preprocessing))


def test_sequences_are_known_by_their_brands() -> None:
    assert sniff(rebranded(encoded(photo((64, 64)), "AVIF"), b"msf1", b"avis", b"msf1")) == "AVIF"
    assert sniff(rebranded(encoded(photo((64, 64)), "AVIF"), b"avis", b"msf1")) == "AVIF"


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"\0\0\0\x0cftypqt  ",
        b"\xff\xff\xff\xffftypisom" + b"iso2" * 1000,
        b"\0\0\0\0ftypisomavif",
        b"\0\0\0\x10ftypisom\0\0\0\0avif",
    ],
)
def test_a_video_is_no_image(data: bytes) -> None:
    """A box that ends before the brand is not searched further either."""
    assert sniff(data) is None


def test_a_huge_box_is_not_searched() -> None:
    assert sniff(b"\x7f\xff\xff\xffftypisom\0\0\0\0" + b"isom" * 5_000_000 + b"avif") is None
