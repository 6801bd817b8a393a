"""What decoding an image should cost, by its header. A header can be false: the decoders have limits as well."""

from dataclasses import dataclass
from typing import Self

from PIL import Image, JpegImagePlugin, TiffImagePlugin

from ..errors import TooManyPixels
from ..limits import MAX_IMAGE_PIXELS, MAX_SCALED_PIXELS
from .formats import FORMATS

_NANOSECONDS_PER_SAMPLE = {"baseline": 1.7, "progressive": 7}
"""The processor time of one thread for a JPEG, whose colors have fewer samples than pixels. Decoding to a smaller size
costs nearly as much."""


# Its decoder takes 16 bytes a pixel, where the others take at most 13.
_MAX_WEBP_PIXELS = MAX_IMAGE_PIXELS * 3 // 4
# Of a progressive JPEG all coefficients are in memory, two bytes each, before the first pixel is there.
_MAX_COEFFICIENTS = 400_000_000


@dataclass(frozen=True)
class Cost:
    size: tuple[int, int]
    """Width and height of the image."""
    seconds: float
    """The processor time to expect."""
    tile: int = 0
    """The pixels that are decoded at once, where they may be more than those of the image."""
    limit: int = MAX_IMAGE_PIXELS
    """The pixels that it may have."""
    coefficients: float = 0

    @classmethod
    def of(cls, image: Image.Image, size: int) -> Self:
        """The cost of an image that is opened and not decoded yet, from a file of ``size`` bytes."""
        pixels, tile = image.width * image.height, 0
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            samples, progressive = _samples(image), bool(image.info.get("progressive"))
            nanoseconds = _NANOSECONDS_PER_SAMPLE["progressive" if progressive else "baseline"]
            coefficients = samples if progressive else 0
            return cls(image.size, samples * nanoseconds * 1e-9, 0, MAX_SCALED_PIXELS, coefficients)
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            # A tile is decoded as a whole, even where the image shows little of it.
            tags = image.tag_v2
            tile = tags.get(TiffImagePlugin.TILEWIDTH, 1) * tags.get(TiffImagePlugin.TILELENGTH, 1)
        return cls(image.size, _seconds(image.format or "", max(pixels, tile), size), tile)

    @classmethod
    def of_webp(cls, data: bytes) -> Self:
        """The cost of a WebP file by its first 30 bytes (RFC 9649) and its size: opening it takes memory for all of its
        canvas."""
        if data[12:16] == b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        elif data[12:16] == b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        else:
            width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return cls((width, height), _seconds("WEBP", width * height, len(data)), 0, _MAX_WEBP_PIXELS)

    @property
    def pixels(self) -> int:
        return max(self.size[0] * self.size[1], self.tile)

    def require(self) -> None:
        """Raise TooManyPixels if there are more than ``limit``, or too many coefficients."""
        photo = f"The photo has {self.size[0]:,} by {self.size[1]:,} pixels"
        if self.pixels > self.limit:
            counted = f"{self.pixels:,} in all" if self.pixels > self.tile else f"in tiles of {self.tile:,}"
            raise TooManyPixels(f"{photo}, {counted}; at most {self.limit:,} are accepted: send a smaller copy of it.")
        if self.coefficients > _MAX_COEFFICIENTS:
            raise TooManyPixels(
                f"{photo}, and a progressive JPEG of them takes too much memory: "
                "send a smaller copy of it, or save it as a baseline JPEG."
            )


def _seconds(name: str, pixels: int, size: int) -> float:
    return (pixels * FORMATS[name].per_pixel + size * FORMATS[name].per_byte) * 1e-9


def _samples(image: JpegImagePlugin.JpegImageFile) -> float:
    """The samples of all components, by their sampling factors (ITU-T T.81, A.1.1)."""
    factors = [horizontal * vertical for _, horizontal, vertical, _ in image.layer]
    return image.width * image.height * sum(factors) / max(1, *factors)
