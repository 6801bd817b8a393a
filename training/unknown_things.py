"""Images of things that none of the 100 labels names: a recognizer with a closed vocabulary must not recognize them.

Photographs and scans come with scikit-image and scikit-learn; documents, charts, textures, noise, flat colors and
gradients are drawn here, the same ones every time. Pictures whose subject one of the labels does name (a cup of coffee,
a rocket, a man) are left out.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

_SCIKIT_IMAGE = (
    "brick.png", "cell.png", "chelsea.png", "chessboard_RGB.png", "coins.png", "color.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "ihc.png", "logo.png", "microaneurysms.png", "moon.png", "page.png", "phantom.png",
    "retina.jpg", "text.png",
)  # fmt: skip
_SCIKIT_LEARN = ("china.jpg", "flower.jpg")
_DRAWN_PER_KIND = 12
_SIZE = (480, 360)
_WORDS = [
    "invoice",
    "total",
    "amount",
    "due",
    "date",
    "of",
    "the",
    "and",
    "to",
    "payment",
    "within",
    "thirty",
    "days",
    "account",
    "number",
    "note",
]


def unknown_things() -> Iterator[tuple[str, Image.Image]]:
    """Pairs of a kind (``photographs and scans``, or what is drawn) and an RGB image."""
    import sklearn.datasets  # type: ignore[import-untyped] # a second to import

    folders = ((skimage.data, _SCIKIT_IMAGE), (sklearn.datasets, tuple(f"images/{name}" for name in _SCIKIT_LEARN)))
    for package, names in folders:
        for name in names:
            with Image.open(Path(str(package.__file__)).parent / name) as image:
                yield "photographs and scans", image.convert("RGB")
    yield from drawn_images(_DRAWN_PER_KIND, 0)


def drawn_images(per_kind: int, seed: int) -> Iterator[tuple[str, Image.Image]]:
    """Pairs of a kind and an RGB image, ``per_kind`` of each, other ones for another ``seed``."""
    drawn = (
        ("documents", _document), ("charts", _chart), ("textures", _texture), ("noise", _noise),
        ("flat colors", _flat), ("gradients", _gradient),
    )  # fmt: skip
    for number, (kind, draw) in enumerate(drawn):
        rng = np.random.default_rng(seed + number)
        for _ in range(per_kind):
            yield kind, draw(rng)


def _document(rng: np.random.Generator) -> Image.Image:
    paper = tuple(int(level) for level in rng.integers(215, 256, size=3))
    page = Image.new("RGB", _SIZE[::-1], paper)
    pen, size = ImageDraw.Draw(page), int(rng.integers(9, 20))
    font, margin = ImageFont.load_default(size), int(rng.integers(15, 50))
    for y in range(margin, page.height - margin, int(size * rng.uniform(1.3, 1.9))):
        if rng.random() < 0.12:
            continue
        line = " ".join(rng.choice(_WORDS, size=int(rng.integers(2, 9))))
        while pen.textlength(line, font=font) > page.width - 2 * margin:
            line = line.rpartition(" ")[0]
        pen.text((margin, y), line, fill=(20, 20, 30), font=font)
    return page.rotate(rng.uniform(-6, 6), fillcolor=paper, resample=Image.Resampling.BICUBIC)


def _chart(rng: np.random.Generator) -> Image.Image:
    sheet = Image.new("RGB", _SIZE, "white")
    pen, bars = ImageDraw.Draw(sheet), int(rng.integers(4, 12))
    heights = rng.integers(30, 290, size=bars)
    color = tuple(int(level) for level in rng.integers(20, 220, size=3))
    left, bottom, step = 40, 330, 420 // bars
    pen.line([(left, 20), (left, bottom), (465, bottom)], fill="black", width=2)
    tops = [(left + 8 + step * bar, bottom - int(height)) for bar, height in enumerate(heights)]
    if rng.random() < 0.5:
        for x, y in tops:
            pen.rectangle([x, y, x + step - 8, bottom], fill=color)
    else:
        pen.line(tops, fill=color, width=3)
    for x, _ in tops:
        pen.text((x, bottom + 6), str(int(rng.integers(2000, 2030))), fill="black")
    return sheet


def _texture(rng: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[: _SIZE[1], : _SIZE[0]]
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 60)
    along = np.cos(angle) * x + np.sin(angle) * y
    across = np.cos(angle) * y - np.sin(angle) * x
    wave = np.sin(2 * np.pi * along / period)
    pattern = (wave, np.sign(wave), np.sign(wave * np.sin(2 * np.pi * across / period)), along / along.max())
    mixture = (pattern[int(rng.integers(len(pattern)))][..., np.newaxis] + 1) / 2
    first, second = rng.uniform(0, 255, size=(2, 3))
    return _image(first + (second - first) * mixture)


def _noise(rng: np.random.Generator) -> Image.Image:
    cell = int(rng.choice([1, 2, 8, 40]))
    shape = (_SIZE[1] // cell, _SIZE[0] // cell, 3)
    levels = rng.uniform(0, 255, size=shape) if rng.random() < 0.5 else rng.normal(128, 40, size=shape)
    enlarged = _image(levels).resize(_SIZE, Image.Resampling.BICUBIC)
    return enlarged.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 3))))


def _flat(rng: np.random.Generator) -> Image.Image:
    return Image.new("RGB", _SIZE, tuple(int(level) for level in rng.integers(0, 256, size=3)))


def _gradient(rng: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[: _SIZE[1], : _SIZE[0]]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    along = (np.hypot(x - _SIZE[0] / 2, y - _SIZE[1] / 2) if rng.random() < 0.3 else along)[..., np.newaxis]
    share = (along - along.min()) / (along.max() - along.min())
    first, second = rng.uniform(0, 255, size=(2, 3))
    return _image(first + (second - first) * share)


def _image(levels: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
