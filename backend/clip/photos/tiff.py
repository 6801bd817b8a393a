"""TIFF, which can hold samples of any kind: those that are decoded right, and the names of those that are refused.

What is read for certain was found with files of every layout, which ``tests/backend/test_tiff.py`` repeats.
"""

import struct
from typing import NamedTuple

from PIL import Image, TiffImagePlugin

from ..errors import UnsupportedImage

_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_PLANES = 2
_NOT_BUILT_IN = (50001,)
"""The compressions that Pillow knows and its libtiff is built without: WebP."""
_BIG_ENDIAN_BIGTIFF = b"MM\0+"
_MIN_SAMPLE, _MAX_SAMPLE, _S_MIN_SAMPLE, _S_MAX_SAMPLE = 280, 281, 340, 341
_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_NAMES = {
    0: "gray",
    1: "gray",
    2: "RGB",
    3: "with a palette",
    5: "CMYK",
    6: "YCbCr",
    8: "CIELAB",
    9: "ICCLAB",
    10: "ITULAB",
    32844: "LogL",
    32845: "LogLuv",
}
_KINDS = {_UNSIGNED: "", _SIGNED: "signed ", _FLOAT: "floating-point ", 5: "complex ", 6: "complex "}
_ADVICE = "Save it as a PNG or TIFF of 8 bits."


class Range(NamedTuple):
    """The samples that are shown as black and as white; white may be the smaller one."""

    black: float
    white: float


def register() -> None:
    """Have libtiff read all files, which gives samples in this machine's order of bytes, whatever the file's is.

    Pillow's own decoder takes planes of 16 bits for planes of 8, and its table knows some layouts in one order only.
    """
    TiffImagePlugin.READ_LIBTIFF = True
    layouts = {
        (_UNSIGNED, 12): ("I;16", "I;12"),
        (_UNSIGNED, 16): ("I;16", "I;16N"),
        (_UNSIGNED, 32): ("I", "I;32N"),
        (_SIGNED, 16): ("I", "I;16NS"),
        (_SIGNED, 32): ("I", "I;32NS"),
        (_FLOAT, 32): ("F", "F;32NF"),
    }
    for (kind, bits), modes in layouts.items():
        for order in (b"II", b"MM"):
            for photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
                TiffImagePlugin.OPEN_INFO[order, photometric, (kind,), 1, (bits,), ()] = modes


def require_known_header(data: bytes) -> None:
    """Refuse by name a file whose first directory Pillow looks for in a wrong place.

    Raises:
        UnsupportedImage: see above.
    """
    if data.startswith(_BIG_ENDIAN_BIGTIFF):
        raise UnsupportedImage(f"This TIFF is a BigTIFF of big-endian order, which is not supported. {_ADVICE}")


def require_known(image: TiffImagePlugin.TiffImageFile) -> None:
    """Refuse by name what would be decoded, and not for certain right. Nothing is decoded yet.

    Raises:
        UnsupportedImage: see above.
    """
    kind, bits = _kind(image), _bits(image)
    if (compression := image.tag_v2.get(TiffImagePlugin.COMPRESSION)) in _NOT_BUILT_IN:
        raise _unknown_compression(compression)
    if image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION) == _PLANES and image.mode in ("LA", "La", "PA"):
        raise UnsupportedImage(f"This TIFF has transparency in a plane of its own, which is not supported. {_ADVICE}")
    if kind == _SIGNED and (bits == 8 or _declared(image) is None):
        raise UnsupportedImage(
            f"This TIFF has signed samples of {bits} bits, and does not state which of them is black. {_ADVICE}"
        )


def range_of(image: TiffImagePlugin.TiffImageFile) -> Range:
    """What the samples of a decoded image with more than 8 bits mean: what is declared counts.

    Raises:
        UnsupportedImage: nothing is declared, and what is usual does not fit.
    """
    kind, bits = _kind(image), _bits(image)
    found = _declared(image)
    if found is None:
        lowest, highest = _extrema(image)
        if kind == _FLOAT and not 0 <= lowest <= highest <= 1:
            raise UnsupportedImage(
                f"This TIFF has floating-point samples from {lowest:g} to {highest:g}, and does not state which of "
                f"them are black and white. {_ADVICE}"
            )
        found = Range(0, 1 if kind == _FLOAT else 2**bits - 1)
        if kind != _FLOAT:
            _require_upper_bits(int(highest), bits)
    inverted = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    return Range(found.white, found.black) if inverted else found


def require_upper_bits(image: TiffImagePlugin.TiffImageFile) -> None:
    """Refuse a decoded color image of 16 bits of which only the lower 12 are used, of which four are left.

    Raises:
        UnsupportedImage: see above.
    """
    if image.mode in ("RGB", "RGBA") and _bits(image) == 16:
        bands = image.getextrema()[:3]
        _require_upper_bits(257 * max(high for _, high in bands), 16)  # type: ignore[misc]


def is_unsigned_32(image: Image.Image) -> bool:
    """Whether the samples of an image of mode I, which is signed, are unsigned."""
    return isinstance(image, TiffImagePlugin.TiffImageFile) and (_kind(image), _bits(image)) == (_UNSIGNED, 32)


def unread(data: bytes) -> UnsupportedImage | None:
    """What is said of a file that Pillow cannot open; None where its first directory cannot be read either."""
    try:
        tags = _first_tags(data)
    except struct.error:
        return None
    if TiffImagePlugin.IMAGEWIDTH not in tags or TiffImagePlugin.IMAGELENGTH not in tags:
        return None
    bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    count = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, (1,))[0]
    kind = _KINDS.get(tags.get(TiffImagePlugin.SAMPLEFORMAT, (_UNSIGNED,))[0], "undefined ")
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, (0,))[0]
    compression = tags.get(TiffImagePlugin.COMPRESSION, (1,))[0]
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        return _unknown_compression(compression)
    samples = f"{count} {kind}sample{'s' if count > 1 else ''} of {bits[0]} bits a pixel"
    shown = _NAMES.get(photometric, f"of photometric interpretation {photometric}")
    return UnsupportedImage(f"This TIFF has {samples}, {shown}, which is not supported. {_ADVICE}")


def _unknown_compression(number: int) -> UnsupportedImage:
    return UnsupportedImage(f"This TIFF is compressed by method {number}, which is not supported. {_ADVICE}")


def _kind(image: TiffImagePlugin.TiffImageFile) -> int:
    return int(image.tag_v2.get(TiffImagePlugin.SAMPLEFORMAT, (_UNSIGNED,))[0])


def _bits(image: TiffImagePlugin.TiffImageFile) -> int:
    return int(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))[0])


def _declared(image: TiffImagePlugin.TiffImageFile) -> Range | None:
    """What SMinSampleValue and SMaxSampleValue say, or else their elder siblings."""
    for low, high in ((_S_MIN_SAMPLE, _S_MAX_SAMPLE), (_MIN_SAMPLE, _MAX_SAMPLE)):
        black, white = (_first(image.tag_v2.get(tag)) for tag in (low, high))
        black = 0 if black is None and _kind(image) != _SIGNED else black
        if black is not None and white is not None and black < white:
            return Range(black, white)
    return None


def _first(value: object) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if value else None
    return float(value) if isinstance(value, (int, float)) else None


def _extrema(image: TiffImagePlugin.TiffImageFile) -> tuple[float, float]:
    lowest, highest = image.getextrema()
    if is_unsigned_32(image) and lowest < 0:  # type: ignore[operator]
        return 0, 2**32 - 1  # one of them is in the upper half
    return float(lowest), float(highest)  # type: ignore[arg-type]


def _require_upper_bits(highest: int, bits: int) -> None:
    """Refuse samples that are black as they stand and show something in fewer bits."""
    if bits > 12 and 0 < highest < 2 ** (bits - 4):
        raise UnsupportedImage(
            f"This TIFF has samples of {bits} bits of which none is above {highest:,}, so that they may have fewer "
            f"bits, and does not state how many. {_ADVICE}"
        )


def _first_tags(data: bytes) -> dict[int, tuple[int, ...]]:
    """The whole numbers in a classic TIFF's first directory, which has at most 65,535 entries.

    Raises:
        struct.error: it is not within the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    tags = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        number, kind, length = struct.unpack_from(f"{order}HHI", data, entry)
        if kind in _TYPES and 0 < length <= 16:
            size = length * struct.calcsize(_TYPES[kind])
            (place,) = struct.unpack_from(f"{order}I", data, entry + 8) if size > 4 else (entry + 8,)
            tags[number] = struct.unpack_from(f"{order}{length}{_TYPES[kind]}", data, place)
    return tags
