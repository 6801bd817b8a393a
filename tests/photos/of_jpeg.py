"""JPEG: sampling, processes, color spaces, and files that do not end as they should."""

from collections.abc import Iterator
from functools import partial
from itertools import product

from PIL import Image

from tests.photos.encoding import Encoding, Make, Samples, by_pillow, gray, ppm, profiled, rounded, run
from tests.photos.plain import Pixels
from tests.pictures import encoded

_PLAIN = by_pillow("JPEG", quality=95)
_TRAILER = b"SEFH" + bytes(400)
_PROGRESSIVE = by_pillow("JPEG", quality=95, progressive=True)


def rows() -> Iterator[Encoding]:
    for sampling, process, restart in product((0, 1, 2), ("baseline", "progressive"), (0, 3)):
        make = by_pillow(
            "JPEG",
            quality=95,
            subsampling=sampling,
            progressive=process == "progressive",
            restart_marker_blocks=restart,
        )
        yield Encoding(f"jpeg {process}, sampling {sampling}, restarts {restart}", make)
    for mode, see in (("L", gray), ("CMYK", Encoding.see)):
        yield Encoding(f"jpeg {mode}", by_pillow("JPEG", mode, quality=95), see)
        yield Encoding(f"jpeg {mode} progressive", by_pillow("JPEG", mode, quality=95, progressive=True), see)
    yield Encoding("jpeg RGB", by_pillow("JPEG", keep_rgb=True, quality=95))
    yield Encoding("jpeg of low quality", by_pillow("JPEG", quality=40))
    yield Encoding("jpeg of two pictures", lambda pixels: _PLAIN(pixels) + _PLAIN(255 - pixels))
    for name, whole in (("baseline", _PLAIN), ("progressive", _PROGRESSIVE)):
        yield Encoding(f"jpeg {name} without its end", partial(_ending, whole, b""))
        yield Encoding(f"jpeg {name} with a trailer for its end", partial(_ending, whole, _TRAILER))
    yield Encoding("jpeg with a trailer", lambda pixels: _PLAIN(pixels) + _TRAILER)
    yield Encoding(
        "jpeg cut off",
        lambda pixels: _PLAIN(pixels)[: len(_PLAIN(pixels)) * 9 // 10],
        rows=0.7,
        warnings=("cut_off",),
        alone="it is broken",
    )
    for options in ("-arithmetic", "-progressive -arithmetic", "-grayscale -arithmetic"):

        def by_cjpeg(pixels: Pixels, options: str = options) -> bytes:
            return run("cjpeg", "-quality", "95", *options.split(), data=ppm(pixels))

        see = gray if "gray" in options else Encoding.see
        yield Encoding(f"jpeg {options}", by_cjpeg, see, program="cjpeg")
    yield from profiled("jpeg", _with_profile)


def _ending(whole: Make, end: bytes, pixels: Pixels) -> bytes:
    return whole(pixels)[:-2] + end


def _with_profile(samples: Samples, profile: bytes) -> bytes:
    return encoded(Image.fromarray(rounded(samples)), "JPEG", quality=97, subsampling=0, icc_profile=profile)
