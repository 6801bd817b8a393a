"""Small real files of every format and of many kinds, and their mutations."""

import random
from typing import Any

from PIL import Image

from tests.pictures import encoded, photo
from tests.raws import MAKERS


def frames() -> dict[str, Any]:
    """Options that add a second frame; new every time, as a picture keeps what one format told its encoder."""
    return {"save_all": True, "append_images": [photo((96, 64), 1)]}


def real_files() -> dict[str, bytes]:
    """One file of each kind, by a name that says which."""
    image = photo((96, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    rotated = {"exif": exif.tobytes()}
    kinds: list[tuple[str, str, Image.Image, dict[str, Any]]] = [
        ("jpeg", "JPEG", image, rotated),
        ("jpeg-progressive", "JPEG", image, {"progressive": True}),
        ("jpeg-cmyk", "JPEG", image.convert("CMYK"), {}),
        ("mpo", "MPO", image, frames()),
        ("png", "PNG", image, rotated),
        ("png-palette", "PNG", image.quantize(16), {"transparency": 3}),
        ("png-animated", "PNG", image, frames()),
        ("gif", "GIF", image.quantize(64), {"comment": b"a comment"}),
        ("gif-animated", "GIF", image, frames()),
        ("webp", "WEBP", image, rotated),
        ("webp-lossless", "WEBP", image.convert("RGBA"), {"lossless": True}),
        ("webp-animated", "WEBP", image, frames()),
        ("bmp", "BMP", image, {}),
        ("bmp-palette", "BMP", image.quantize(16), {}),
        ("tiff", "TIFF", image, rotated),
        ("tiff-deflate", "TIFF", image, {"compression": "tiff_adobe_deflate"}),
        ("tiff-lzw", "TIFF", image.convert("CMYK"), {"compression": "tiff_lzw"}),
        ("tiff-jpeg", "TIFF", image, {"compression": "jpeg"}),
        ("tiff-fax", "TIFF", image.convert("1"), {"compression": "group4"}),
        ("tiff-pages", "TIFF", image, frames()),
        ("avif", "AVIF", image, {"speed": 10, **rotated}),
        ("avif-animated", "AVIF", image, {"speed": 10, **frames()}),
        ("heif", "HEIF", image, rotated),
        ("avif-alpha", "AVIF", image.convert("RGBA"), {"speed": 10}),
        ("heif-alpha", "HEIF", image.convert("RGBA"), {}),
    ]
    files = {kind: encoded(picture.copy(), name, **options) for kind, name, picture, options in kinds}
    preview = encoded(image, "JPEG")
    return files | {f"raw-{maker.lower()}": make(preview, 6) for maker, make in MAKERS.items()}


def mutated(data: bytes, source: random.Random) -> bytes:
    """The file with a few of the things done to it that break decoders; half of them near its head."""
    result = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 4, 16))):
        if not result:
            break
        at = source.randrange(len(result) if source.random() < 0.5 else min(len(result), 256))
        match source.randrange(7):
            case 0:
                result[at] ^= 1 << source.randrange(8)
            case 1:
                result[at] = source.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                value = source.choice((0, 1, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
                result[at : at + 4] = value.to_bytes(4, source.choice(("big", "little")))
            case 3:
                del result[at : at + source.choice((1, 2, 4, 16, 256))]
            case 4:
                result[at:at] = source.randbytes(source.choice((1, 2, 4, 16)))
            case 5:
                length = source.choice((4, 16, 64))
                other = source.randrange(len(result))
                result[at : at + length] = result[other : other + length]
            case _:
                del result[at + 1 :]
    return bytes(result)
