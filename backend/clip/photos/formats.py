"""The format of a file by its first bytes. Every body is looked at here, outside the decoding processes: safely."""

_MAGIC = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    # In either byte order, also where the order is written the wrong way round, and BigTIFF.
    "TIFF": (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+"),
}
FORMATS = (*_MAGIC, "WEBP", "AVIF", "HEIF")
RAW = "RAW"
"""Camera raw files that do not begin as a TIFF does. ``raw.py`` finds a preview in them and in those that do."""
# Of Fujifilm, Olympus (three), and Panasonic and Leica.
_RAW_MAGIC = (b"FUJIFILMCCD-RAW ", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_RAW_BRAND = b"crx "  # Canon's CR3

_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
)
_FILE_TYPE_BOX = 256


def sniff(file: bytes | memoryview) -> str | None:
    """The format in ``FORMATS`` that the first bytes are those of, ``RAW``, or None."""
    data = bytes(file[:_FILE_TYPE_BOX])
    for name, prefixes in _MAGIC.items():
        if data.startswith(prefixes):
            return name
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP" and data[12:16] in (b"VP8 ", b"VP8L", b"VP8X"):
        return "WEBP"
    if data.startswith(_RAW_MAGIC):
        return RAW
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    return None


def _sniff_brands(data: bytes) -> str | None:
    """AVIF, HEIF or RAW by the file type box (ISO/IEC 14496-12, 4.3): the major brand, else the compatible ones.

    ``mif1`` and ``msf1`` say only that there are images or a sequence of them, whatever their codec (ISO/IEC 23008-12).
    """
    box = data[: min(int.from_bytes(data[:4]), _FILE_TYPE_BOX)]
    major, compatible = data[8:12], {box[at : at + 4] for at in range(16, len(box), 4)}
    if major == _RAW_BRAND:
        return RAW
    for brands in ({major} - {b"mif1", b"msf1", b"mif2"}, compatible):
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    return "HEIF" if major in _HEIF_BRANDS else None
