"""Bytes of a photo to the pixels that the image tower takes, as open_clip's own transform makes them."""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import AvifImagePlugin, ExifTags, Image, ImageCms, ImageOps, TiffImagePlugin, WebPImagePlugin  # noqa: F401 (register)

from .errors import CorruptImage, TooManyPixels, UnsupportedImage
from .limits import MAX_IMAGE_PIXELS

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

Image.preinit()
pillow_heif.register_heif_opener(thumbnails=False)
# Pillow only warns between its own limit and twice that; MAX_IMAGE_PIXELS refuses all of those.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# A sliver would grow to gigabytes when its short side is resized: what lies further out is cropped away anyway.
_MAX_ASPECT = 64
_STRIP_ROWS = 256


@dataclass(frozen=True)
class Preprocessing:
    """How a model wants its images; the fields and their values are those of open_clip's ``PreprocessCfg``."""

    size: tuple[int, int]
    """Height and width in pixels."""
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill_color: int = 0


def sniff(data: bytes) -> str | None:
    """The name of the format in ``FORMATS`` that the first bytes claim, or None."""
    prefix = data[:16]
    for name in FORMATS:
        accept = Image.OPEN[name][1]
        if accept is not None and accept(prefix) is True:
            return name
    return None


def read_pixels(data: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Decode an image file and prepare it for the image tower.

    The first frame, turned upright as its EXIF orientation says, transparent parts on white. For a file that is RGB
    already and no JPEG the result equals open_clip's transform; a JPEG of more than twice the model's size is shrunk
    while it is decoded.

    Returns:
        uint8 [height, width, 3], RGB.

    Raises:
        UnsupportedImage: not an image, or of a format outside ``FORMATS``.
        TooManyPixels: over ``MAX_IMAGE_PIXELS``, as its header says; nothing was decoded.
        CorruptImage: it cannot be decoded.
    """
    name = sniff(data)
    if name is None:
        raise UnsupportedImage(f"This is not an image of a supported format ({', '.join(FORMATS)}).")
    try:
        with Image.open(io.BytesIO(data), formats=[name]) as image:
            pixels = image.width * image.height
            if pixels > MAX_IMAGE_PIXELS:
                raise TooManyPixels(f"The image has {pixels:,} pixels; at most {MAX_IMAGE_PIXELS:,} are accepted.")
            with _pixel_budget.spend(pixels):
                upright = _to_rgb(_load_upright(image, data, preprocessing))
                return np.asarray(fit(upright, preprocessing))
    except Image.DecompressionBombError as error:
        raise TooManyPixels(f"The image has more than the {MAX_IMAGE_PIXELS:,} pixels that are accepted.") from error
    except (TooManyPixels, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
        raise CorruptImage(f"The image begins like {name} and cannot be decoded.") from error


def _load_upright(image: Image.Image, data: bytes, preprocessing: Preprocessing) -> Image.Image:
    height, width = preprocessing.size
    # JPEG alone can shrink while it decodes; twice the wanted size leaves the resizing its detail.
    image.draft("RGB", (2 * max(height, width), 2 * max(height, width)))
    orientation = image.info.get("original_orientation")
    image.load()
    with suppress(Exception):  # a broken EXIF block is no reason to refuse a photo that can be seen
        if orientation and b"irot" not in data and b"imir" not in data:
            # pillow-heif drops the EXIF orientation for these two HEIF properties, which a file may lack.
            image.getexif()[ExifTags.Base.Orientation] = orientation
        image = ImageOps.exif_transpose(image)
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    """The image in mode RGB, converted in strips, so that one full-size copy is the most that exists at a time."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    scale = _scale_to_8_bit(image)
    canvas = Image.new("RGB", image.size, "white")
    for top in range(0, image.height, _STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height)))
        if scale is not None:
            levels = np.nan_to_num(np.asarray(strip, dtype=np.float32)) * scale
            strip = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
        elif image.has_transparency_data:
            strip = strip.convert("RGBA")
        elif image.mode == "LAB":
            strip = _lab_to_rgb(strip)
        else:
            strip = strip.convert("RGB")
        canvas.paste(strip, (0, top), strip if strip.mode == "RGBA" else None)
    return canvas


def _scale_to_8_bit(image: Image.Image) -> float | None:
    """What brings the levels of a 16-bit, 32-bit or float image to 0..255; None for a mode that is 8-bit already."""
    if image.mode.startswith("I;16"):
        return 255 / 65535
    if image.mode not in ("I", "F"):
        return None
    peak = float(np.nan_to_num(np.asarray(image.getextrema(), dtype=np.float64)).max())
    if image.mode == "F" and peak <= 1:
        return 255.0
    return 1.0 if peak <= 255 else 255 / max(peak, 65535)


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return cast(Image.Image, ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))


def fit(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """Resize and crop to the model's size as open_clip's inference transform does (``open_clip.transform``, 3.3.0).

    Args:
        image: mode RGB.
        preprocessing: ``resize_mode`` "shortest" fills the frame and crops the middle, "longest" keeps everything and
            pads with ``fill_color``, "squash" ignores the aspect ratio.

    Returns:
        Mode RGB, of ``preprocessing.size``.
    """
    height, width = preprocessing.size
    resample = _RESAMPLING[preprocessing.interpolation]
    if preprocessing.resize_mode == "squash":
        return image.resize((width, height), resample)
    if preprocessing.resize_mode == "shortest":
        image = _without_ends(image)
        if height == width:
            short, long = sorted(image.size)
            resized = (height, int(height * long / short))
            new_size = resized if image.width <= image.height else resized[::-1]
        else:
            ratio = min(image.height / height, image.width / width)
            new_size = (round(image.width / ratio), round(image.height / ratio))
            resample = Image.Resampling.BICUBIC  # open_clip ignores the interpolation here
    else:
        ratio = max(image.height / height, image.width / width)
        new_size = (max(1, round(image.width / ratio)), max(1, round(image.height / ratio)))
    if new_size != image.size:
        image = image.resize(new_size, resample)
    return _center(image, preprocessing)


def _center(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    height, width = preprocessing.size
    if image.width < width or image.height < height:
        frame = (max(width, image.width), max(height, image.height))
        canvas = Image.new("RGB", frame, (preprocessing.fill_color,) * 3)
        canvas.paste(image, ((frame[0] - image.width) // 2, (frame[1] - image.height) // 2))
        image = canvas
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def _without_ends(image: Image.Image) -> Image.Image:
    short, long = sorted(image.size)
    if long <= short * _MAX_ASPECT:
        return image
    across, along = (image.width - short * _MAX_ASPECT) // 2, (image.height - short * _MAX_ASPECT) // 2
    if image.width > image.height:
        return image.crop((across, 0, image.width - across, image.height))
    return image.crop((0, along, image.width, image.height - along))


class _PixelBudget:
    """Lets so many pixels be decoded at a time, so that several large photos at once cannot exhaust the memory."""

    def __init__(self, pixels: int) -> None:
        self._free = pixels
        self._changed = threading.Condition()

    @contextmanager
    def spend(self, pixels: int) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()


_pixel_budget = _PixelBudget(MAX_IMAGE_PIXELS)
