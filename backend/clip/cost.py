"""What decoding an image should cost, by its header. A header can be false: the decoders have limits as well."""

from dataclasses import dataclass
from typing import Self

from PIL import Image, JpegImagePlugin, TiffImagePlugin

from .errors import TooManyPixels
from .limits import MAX_IMAGE_PIXELS

# Processor time of one thread, measured on an AMD EPYC with photographs of 50 megapixels that have grain.
_NANOSECONDS_PER_PIXEL = {"PNG": 24, "GIF": 12, "BMP": 8, "TIFF": 16, "WEBP": 34, "AVIF": 36, "HEIF": 42}
_NANOSECONDS_PER_SAMPLE = {"baseline": 1.7, "progressive": 7}
"""Of a JPEG, whose colors have fewer samples than pixels. Decoding to a smaller size costs nearly as much."""


@dataclass(frozen=True)
class Cost:
    pixels: int
    seconds: float
    """The processor time to expect."""

    @classmethod
    def of(cls, image: Image.Image) -> Self:
        """The cost of an image that is opened and not decoded yet."""
        pixels = image.width * image.height
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            process = "progressive" if image.info.get("progressive") else "baseline"
            return cls(pixels, _samples(image) * _NANOSECONDS_PER_SAMPLE[process] * 1e-9)
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            # A tile is decoded as a whole, even where the image shows little of it.
            tags = image.tag_v2
            tile = tags.get(TiffImagePlugin.TILEWIDTH, 1) * tags.get(TiffImagePlugin.TILELENGTH, 1)
            pixels = max(pixels, tile)
        return cls(pixels, pixels * _NANOSECONDS_PER_PIXEL[image.format or ""] * 1e-9)

    @classmethod
    def of_webp(cls, data: bytes) -> Self:
        """The cost of a WebP file by its first 30 bytes (RFC 9649): opening it takes memory for all of its canvas."""
        if data[12:16] == b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        elif data[12:16] == b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        else:
            width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return cls(width * height, width * height * _NANOSECONDS_PER_PIXEL["WEBP"] * 1e-9)

    def require(self) -> None:
        """Raise TooManyPixels if there are more than ``MAX_IMAGE_PIXELS``."""
        if self.pixels > MAX_IMAGE_PIXELS:
            raise TooManyPixels(f"The image has {self.pixels:,} pixels; at most {MAX_IMAGE_PIXELS:,} are accepted.")


def _samples(image: JpegImagePlugin.JpegImageFile) -> float:
    """The samples of all components, by their sampling factors (ITU-T T.81, A.1.1)."""
    factors = [horizontal * vertical for _, horizontal, vertical, _ in image.layer]
    return image.width * image.height * sum(factors) / max(1, *factors)
