"""Bytes of a photo to the pixels that the image tower takes, as open_clip's own transform makes them.

A file can make its decoder work for minutes and take gigabytes of memory. Files from strangers are therefore decoded in
the processes of ``decoder_process.py``.
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
# `sniff` tells the two apart by the compatible brands; the plugins look at the major brand alone and would be wrong.
Image.register_open("HEIF", pillow_heif.HeifImageFile)
Image.register_open("AVIF", AvifImagePlugin.AvifImageFile)
# Pillow refuses an image at twice this number, for some formats before it takes memory, and only warns below that.
Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS // 2
# The caller is told what is wrong with a file. Python would keep each new warning for ever and log it.
warnings.filterwarnings("ignore", module="PIL")

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# Resizing the short side of a very long image would take gigabytes. The ends, which the crop
# would remove anyway, are cut off before that.
_MAX_ASPECT = 64
# Times the wanted size. Against full decoding, 30 photos of 12 megapixels had a PSNR of 52 dB (median; 44 at worst).
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
    """Set how many threads the decoders of AVIF and HEIF use."""
    pillow_heif.options.DECODE_THREADS = AvifImagePlugin.DEFAULT_MAX_THREADS = count


def read_pixels(data: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """``read_photo`` without the preview."""
    return read_photo(data, preprocessing).pixels


def read_photo(
    data: bytes,
    preprocessing: Preprocessing,
    *,
    preview: bool = False,
    require: Callable[[Cost], None] = Cost.require,
) -> Photo:
    """Decode an image file and prepare it for the image tower.

    The result is the first frame, upright by its EXIF orientation, with transparent parts on white. For an RGB image
    that is no JPEG it equals that of open_clip's transform but for rounding; a large JPEG is shrunk while it is
    decoded.

    Args:
        data: the file.
        preprocessing: what the model wants.
        preview: whether to make a preview too; the pixels are the same with and without.
        require: is called with the cost by the header before anything is decoded, and raises if it is too high.

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
            pixels = np.asarray(fit(upright, preprocessing))
            return Photo(pixels, upright.size, jpeg_preview(upright) if preview else b"")
    except Image.DecompressionBombError as error:
        raise TooManyPixels(f"The image has more than the {MAX_IMAGE_PIXELS:,} pixels that are accepted.") from error
    except (RequestError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
        raise CorruptImage(f"The image begins like {name} and cannot be decoded.") from error


def _load_upright(image: Image.Image, data: bytes, preprocessing: Preprocessing) -> Image.Image:
    """Decode the image: mode RGB, upright. There are never more than two copies of full size at a time."""
    height, width = preprocessing.size
    # Only JPEG can be shrunk while it is decoded: to a half, a quarter or an eighth.
    enough = math.ceil(_ENOUGH * max(height, width))
    image.draft("RGB", (enough, enough))
    image.load()
    method = _TO_UPRIGHT.get(_orientation(image, data))
    rgb = _to_rgb(image)
    if rgb is not image:
        image.close()
    return rgb if method is None else rgb.transpose(method)


def _orientation(image: Image.Image, data: bytes) -> int:
    """The EXIF orientation that the decoder has not applied, 1 to 8."""
    with suppress(Exception):  # a photo with a broken EXIF block can still be seen
        stated = image.info.get("original_orientation")
        if stated and b"irot" not in data and b"imir" not in data:
            # pillow-heif drops the EXIF orientation in favor of these two HEIF properties, which a file may not have.
            return int(stated)
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """The image in mode RGB. It is converted in strips, which takes no further copy of full size."""
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
    """The factor that brings the levels of a 16-bit, 32-bit or float image to 0..255; None for an 8-bit image."""
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
            image = image.resize((image.width, height), resample)  # Pillow would first widen all its rows
        return image.resize((width, height), resample)
    if preprocessing.resize_mode == "shortest":
        image = _without_ends(image)
        if height == width:
            short, long = sorted(image.size)
            resized = (height, int(height * long / short))
            new_size = resized if image.width <= image.height else resized[::-1]
            if height < short:
                return _shrunk_middle(image, new_size, width, resample)
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


def _shrunk_middle(image: Image.Image, new_size: tuple[int, int], side: int, resample: Image.Resampling) -> Image.Image:
    """The square in the middle of an image that is resized to ``new_size``. What is cropped away is not computed.

    Pillow keeps the box in single precision: a few of ten thousand values differ by a level.
    """
    starts = [round((whole - side) / 2) for whole in new_size]
    scales = [whole / new for whole, new in zip(image.size, new_size, strict=True)]
    left, top = (start * scale for start, scale in zip(starts, scales, strict=True))
    right, bottom = (
        min((start + side) * scale, whole) for start, scale, whole in zip(starts, scales, image.size, strict=True)
    )
    return image.resize((side, side), resample, (left, top, right, bottom))


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
