"""Bytes of a photo to the pixels that the image tower takes, as open_clip's own transform makes them.

Decoders take their orders from a file, which can order minutes of work and gigabytes of memory: what strangers send is
decoded in ``decoder_process.py``'s processes.
"""

import io
import math
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import AvifImagePlugin, ExifTags, Image, ImageCms, MpoImagePlugin, WebPImagePlugin  # noqa: F401 (register)

from .cost import Cost
from .errors import CorruptImage, RequestError, TooManyPixels, UnsupportedImage
from .formats import FORMATS, sniff
from .limits import MAX_IMAGE_PIXELS
from .photo import Photo
from .preprocessing import Preprocessing
from .preview import jpeg_preview

Image.preinit()
pillow_heif.register_heif_opener(thumbnails=False)
# Which of the two a file is, the compatible brands tell: `sniff` looks at them, the plugins at the major brand alone.
Image.register_open("HEIF", pillow_heif.HeifImageFile)
Image.register_open("AVIF", AvifImagePlugin.AvifImageFile)
# Pillow refuses at twice its own limit, some formats before they claim memory at all, and only warns below.
Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS // 2
# The caller is told what is wrong with a file. Each new warning would be kept for ever, and be a line in the log.
warnings.filterwarnings("ignore", module="PIL")

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# A sliver would grow to gigabytes when its short side is resized: what lies further out is cropped away anyway.
_MAX_ASPECT = 64
# Times the wanted size. 30 pictures of 12 megapixels had a PSNR of 52 dB (median; 44 at worst) against full decoding.
_ENOUGH = 1.5
_STRIP_PIXELS = 1 << 20
_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation."""


def use_threads(count: int) -> None:
    """Let the decoders that have threads use so many of them."""
    pillow_heif.options.DECODE_THREADS = AvifImagePlugin.DEFAULT_MAX_THREADS = count


def read_pixels(data: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """``read_photo`` for who wants the pixels alone."""
    return read_photo(data, preprocessing).pixels


def read_photo(
    data: bytes,
    preprocessing: Preprocessing,
    *,
    preview: bool = False,
    require: Callable[[Cost], None] = Cost.require,
) -> Photo:
    """Decode an image file and prepare it for the image tower.

    The first frame, turned upright as its EXIF orientation says, transparent parts on white. For a file that is RGB
    already and no JPEG the result equals open_clip's transform; a large JPEG is shrunk while it is decoded.

    Args:
        data: the file.
        preprocessing: what the model wants.
        preview: whether to make a preview too; the pixels are the same with and without.
        require: is given the cost when the header was read, and raises if it is too much.

    Raises:
        UnsupportedImage: not an image, or of a format outside ``FORMATS``.
        TooManyPixels: over ``MAX_IMAGE_PIXELS``, as its header says; nothing was decoded.
        CorruptImage: it cannot be decoded.
        MemoryError: it takes more memory than this process may have.
    """
    name = sniff(data)
    if name is None:
        raise UnsupportedImage(f"This is not an image of a supported format ({', '.join(FORMATS)}).")
    try:
        if name == "WEBP":
            require(Cost.of_webp(data))
        with Image.open(io.BytesIO(data), formats=[name]) as image:
            require(Cost.of(image))
            upright = _load_upright(image, data, preprocessing)
            return Photo(np.asarray(fit(upright, preprocessing)), jpeg_preview(upright) if preview else b"")
    except Image.DecompressionBombError as error:
        raise TooManyPixels(f"The image has more than the {MAX_IMAGE_PIXELS:,} pixels that are accepted.") from error
    except (RequestError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
        raise CorruptImage(f"The image begins like {name} and cannot be decoded.") from error


def _load_upright(image: Image.Image, data: bytes, preprocessing: Preprocessing) -> Image.Image:
    """Decode; the image in mode RGB, upright. Two copies of full size are the most that exist at a time."""
    height, width = preprocessing.size
    # JPEG alone can shrink while it decodes, to a half, a quarter or an eighth.
    enough = math.ceil(_ENOUGH * max(height, width))
    image.draft("RGB", (enough, enough))
    image.load()
    method = _TO_UPRIGHT.get(_orientation(image, data))
    rgb = _to_rgb(image)
    if rgb is not image:
        image.close()
    return rgb if method is None else rgb.transpose(method)


def _orientation(image: Image.Image, data: bytes) -> int:
    """The EXIF orientation that is still to be applied, 1 to 8."""
    with suppress(Exception):  # a broken EXIF block is no reason to refuse a photo that can be seen
        stated = image.info.get("original_orientation")
        if stated and b"irot" not in data and b"imir" not in data:
            # pillow-heif drops the EXIF orientation for these two HEIF properties, which a file may lack.
            return int(stated)
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """The image in mode RGB, converted in strips, so that its conversion takes no other copy of full size."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    scale = _scale_to_8_bit(image)
    canvas = Image.new("RGB", image.size, "white")
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
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
        if image.height > image.width * _MAX_ASPECT:
            image = image.resize((image.width, height), resample)  # Pillow would widen all its rows first
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
