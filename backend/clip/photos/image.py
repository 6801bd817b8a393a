"""Bytes of a photo to the pixels that the image tower takes, as open_clip's own transform makes them.

A file can make its decoder work for minutes and take gigabytes of memory. Files from strangers are therefore decoded in
the processes of ``decoders/worker.py``.
"""

import io
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import cast

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import (  # noqa: F401 (some register)
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from ..errors import CorruptImage, RequestError, TooManyPixels, UnsupportedImage
from ..limits import MAX_SCALED_PIXELS
from . import cut_off, tiff
from .color import Conversion, conversion, converted
from .cost import Cost
from .formats import FORMATS, RAW, sniff
from .isobmff import Cicp, Properties, crop_box, properties_of
from .photo import CUT_OFF, PREVIEW_OF_RAW, Photo
from .preprocessing import Preprocessing
from .preview import jpeg_preview
from .raw import raw_preview
from .tiff import Range

Image.preinit()
pillow_heif.register_heif_opener(thumbnails=False)
# `sniff` tells the two apart by the compatible brands; the plugins look at the major brand alone and would be wrong.
Image.register_open("HEIF", pillow_heif.HeifImageFile)
Image.register_open("AVIF", AvifImagePlugin.AvifImageFile)
# Pillow refuses to open an image of twice as many pixels. ``Cost.require`` refuses the others that are too large.
Image.MAX_IMAGE_PIXELS = MAX_SCALED_PIXELS
tiff.register()
# A text that is longer than Pillow's limit of a megabyte, such as the notes of a photo program, does not spoil a photo.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# The caller is told what is wrong with a file. Python would keep each new warning for ever and log it.
warnings.filterwarnings("ignore", module="PIL")

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# Resizing the short side of a very long image would take gigabytes. The ends, which the crop
# would remove anyway, are cut off before that.
_MAX_ASPECT = 64
_STRIP_PIXELS = 1 << 20
_BMP_REFUSAL = "Unsupported BMP "
"""How Pillow's messages begin that name what it does not read: a header, depth, layout of bits or compression."""
_PNG_BIT_DEPTH = 24
"""Where it stands in a file."""
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

    The result is the first frame, upright, in sRGB, with transparent parts on white. For an RGB image in sRGB that is
    not a JPEG it equals that of open_clip's transform but for rounding; a large JPEG is shrunk while it is decoded.

    Args:
        data: the file.
        preprocessing: what the model wants.
        preview: whether to make a preview too; the pixels are the same with and without.
        require: is called with the cost by the header before anything is decoded, and raises if it is too high.

    Raises:
        UnsupportedImage: not an image, of a format outside ``FORMATS``, or one that cannot be read for certain.
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
        raw = raw_preview(data, name) if name in (RAW, "TIFF") else None
        if raw is not None:
            data = raw.file
        with _opened(data, name if raw is None else raw.format) as image:
            cost = Cost.of(image, len(data))
            require(cost)
            photo = _read(image, data, preprocessing, preview, lambda: require(cost), raw.orientation if raw else 1)
            return photo if raw is None else photo._replace(warnings=(PREVIEW_OF_RAW, *photo.warnings))
    except Image.DecompressionBombError as error:
        raise TooManyPixels(f"The image has more than the {MAX_SCALED_PIXELS:,} pixels that are accepted.") from error
    except (RequestError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
        raise CorruptImage(f"The image begins like {name} and cannot be decoded.") from error


def _opened(data: bytes, name: str) -> ImageFile.ImageFile:
    if name == "TIFF":
        tiff.require_known_header(data)
    try:
        image = Image.open(io.BytesIO(data), formats=[name])
    except UnidentifiedImageError as error:
        if name == "TIFF" and (refusal := tiff.unread(data)):
            raise refusal from error
        raise
    except OSError as error:
        if name == "BMP" and (kind := str(error)).startswith(_BMP_REFUSAL):
            raise UnsupportedImage(
                f"This BMP has a {kind.removeprefix(_BMP_REFUSAL)} that is not supported. "
                "Save it as a PNG or a BMP of 24 bits."
            ) from error
        raise
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tiff.require_known(image)
    if name == "JPEG":
        # All at once: what is coded arithmetically cannot be decoded in pieces.
        image.decodermaxblock = len(data)
    return image


def _read(
    image: ImageFile.ImageFile,
    data: bytes,
    preprocessing: Preprocessing,
    preview: bool,
    again: Callable[[], None],
    orientation: int,
) -> Photo:
    """Decode an opened image.

    Args:
        again: is called before it is decoded once more.
        orientation: is applied if the image does not state another.
    """
    properties = _properties(image, data)
    convert = conversion(image, data, properties.cicp)
    image, rows, warnings_ = _load(image, data, preprocessing.sufficient_side, again)
    upright = _upright(image, data, convert, crop_box(properties, image.size), rows, orientation)
    pixels = np.asarray(fit(upright, preprocessing, convert))
    return Photo(pixels, upright.size, jpeg_preview(upright, convert) if preview else b"", warnings_)


def _properties(image: Image.Image, data: bytes) -> Properties:
    """What the container of an AVIF or HEIF image says that its decoder has not applied."""
    if image.format == "AVIF":
        return properties_of(data)
    if image.format == "HEIF" and (coded := image.info.get("nclx_profile")):
        return Properties(Cicp(coded["color_primaries"], coded["transfer_characteristics"]))
    return Properties()


def _load(
    image: ImageFile.ImageFile, data: bytes, enough: int, again: Callable[[], None]
) -> tuple[ImageFile.ImageFile, int, tuple[str, ...]]:
    """Decode the pixels.

    Returns:
        The image, how many of its rows are there, and the warnings.
    """

    def decode(file: bytes) -> ImageFile.ImageFile:
        again()
        other = _opened(file, "JPEG")
        other.draft("RGB", (enough, enough))
        other.load()
        return other

    image.draft("RGB", (enough, enough))
    try:
        image.load()
    except OSError as error:
        if image.format in ("JPEG", "MPO"):
            image, is_cut_off = cut_off.rest_of_jpeg(image, data, decode)
            return image, image.height, (CUT_OFF,) if is_cut_off else ()
        if image.format == "PNG" and "truncated" in str(error):
            return image, cut_off.rest_of_png(image), (CUT_OFF,)
        raise
    return image, image.height, ()


def _upright(
    image: ImageFile.ImageFile,
    data: bytes,
    convert: Conversion | None,
    crop: tuple[int, int, int, int] | None,
    rows: int,
    orientation: int,
) -> Image.Image:
    """The image on white in mode RGB, or as ``fit`` takes it with ``convert``.

    There are never more than two copies of full size.
    """
    method = _TO_UPRIGHT.get(_orientation(image, orientation))
    rgb = image if convert is not None and convert.mode == image.mode == "CMYK" else _to_rgb(image, data, convert)
    if rows < rgb.height:
        cut_off.fill(rgb, rows)
    if rgb is not image:
        image.close()
    if crop is not None:
        rgb = rgb.crop(crop)
    return rgb if method is None else rgb.transpose(method)


def _orientation(image: Image.Image, unless_stated: int) -> int:
    """The orientation, 1 to 8 as in EXIF, that the decoder has not applied.

    In HEIF and AVIF the boxes irot and imir alone turn a picture, and EXIF is not to be looked at (ISO/IEC 23008-12,
    A.2.1). pillow-heif has applied them; Pillow gives those of AVIF as if they were EXIF's.
    """
    if image.format == "HEIF":
        return 1
    with suppress(Exception):  # a photo with a broken EXIF block can still be seen
        if image.format == "AVIF":
            image.info.pop("xmp", None)  # where Pillow would look next
        return int(image.getexif().get(ExifTags.Base.Orientation, unless_stated))
    return unless_stated


def _to_rgb(image: Image.Image, data: bytes, convert: Conversion | None) -> Image.Image:
    """The image in mode RGB, on white; where ``convert`` is to come before the white, with transparency in mode RGBA.

    It is converted in strips, which takes no further copy of full size.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tiff.require_upper_bits(image)
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.format == "BMP" and image.mode == "RGBA" and image.getextrema()[-1] == (0, 0):
        return image.convert("RGB")  # as Windows does: few programs write alpha, and most of the others write zeros
    if image.format == "PNG":
        _scale_transparency(image, data[_PNG_BIT_DEPTH])
    range_ = _range(image)
    keep = convert is not None and image.has_transparency_data
    canvas = Image.new("RGBA" if keep else "RGB", image.size, "white")
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        mask = None
        if range_ is not None:
            strip, mask = _to_8_bits(strip, range_, tiff.is_unsigned_32(image))
        elif image.has_transparency_data:
            strip = (strip.convert("LA") if strip.mode == "La" else strip).convert("RGBA")
            mask = strip
        elif image.mode == "LAB":
            strip = _lab_to_rgb(strip)
        else:
            strip = strip.convert("RGB")
        if keep and mask is not None and mask is not strip:
            strip = strip.convert("RGB")
            strip.putalpha(mask)
        canvas.paste(strip, (0, top), None if keep else mask)
    if isinstance(image, GifImagePlugin.GifImageFile):
        _clear_around(canvas, image.dispose_extent)
    return canvas


def _clear_around(canvas: Image.Image, frame: tuple[int, int, int, int] | None) -> None:
    """Paint in white what the first frame of a GIF does not cover, which is transparent in all viewers."""
    left, top, right, bottom = frame or (0, 0, 0, 0)
    width, height = canvas.size
    around = ((0, 0, width, top), (0, bottom, width, height), (0, top, left, bottom), (right, top, width, bottom))
    for box in around:
        canvas.paste("white", box)


def _scale_transparency(image: Image.Image, bits: int) -> None:
    """Bring the color that is transparent in a PNG, which has the file's bits, to those of the image."""
    color = image.info.get("transparency")
    if bits == 16 and isinstance(color, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in color)
    elif image.mode == "L" and isinstance(color, int):
        image.info["transparency"] = color * 255 // (2**bits - 1)


def _range(image: Image.Image) -> Range | None:
    """What the samples of an image mean that has more than 8 bits; None for another."""
    if not image.mode.startswith(("I", "F")):
        return None
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return tiff.range_of(image)
    return Range(0, 65535)


def _to_8_bits(strip: Image.Image, range_: Range, unsigned: bool) -> tuple[Image.Image, Image.Image | None]:
    """A strip with levels from 0 to 255, and a mask of what is not transparent, if something may be."""
    samples = np.asarray(strip)
    if unsigned:
        samples = samples.view(np.uint32)
    levels = _table(range_)[samples] if samples.dtype == np.uint16 else _scaled(samples, range_)
    transparent = strip.info.get("transparency")
    mask = None if transparent is None else Image.fromarray(np.where(samples == transparent, 0, 255).astype(np.uint8))
    return Image.fromarray(levels), mask


@lru_cache(maxsize=1)
def _table(range_: Range) -> NDArray[np.uint8]:
    """The level of each sample of 16 bits."""
    return _scaled(np.arange(1 << 16), range_)


def _scaled(samples: NDArray[np.generic], range_: Range) -> NDArray[np.uint8]:
    levels = (np.nan_to_num(samples.astype(np.float32)) - range_.black) * (255 / (range_.white - range_.black))
    return np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return cast(Image.Image, ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))


def fit(image: Image.Image, preprocessing: Preprocessing, convert: Conversion | None = None) -> Image.Image:
    """Resize and crop to the model's size as open_clip's inference transform does (``open_clip.transform``, 3.3.0).

    Args:
        image: mode RGB, or as ``convert`` takes it; RGBA with ``convert``, which goes on white when it is converted.
        preprocessing: ``resize_mode`` "shortest" fills the frame and crops the middle, "longest" keeps everything and
            pads with ``fill_color``, "squash" ignores the aspect ratio.
        convert: brings the colors to sRGB, when few are left.

    Returns:
        Mode RGB, of ``preprocessing.size``.
    """
    image = _middle(_resized(image, preprocessing), preprocessing.size)
    return _padded(converted(image, convert), preprocessing)


def _resized(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
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
    return image if new_size == image.size else image.resize(new_size, resample)


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


def _middle(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of an image that is larger than ``size``, height and width, in one direction or both."""
    height, width = (min(wanted, whole) for wanted, whole in zip(size, image.size[::-1], strict=True))
    if (width, height) == image.size:
        return image
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def _padded(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    height, width = preprocessing.size
    if image.size == (width, height):
        return image
    canvas = Image.new("RGB", (width, height), (preprocessing.fill_color,) * 3)
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas


def _without_ends(image: Image.Image) -> Image.Image:
    short, long = sorted(image.size)
    if long <= short * _MAX_ASPECT:
        return image
    across, along = (image.width - short * _MAX_ASPECT) // 2, (image.height - short * _MAX_ASPECT) // 2
    if image.width > image.height:
        return image.crop((across, 0, image.width - across, image.height))
    return image.crop((0, along, image.width, image.height - along))
