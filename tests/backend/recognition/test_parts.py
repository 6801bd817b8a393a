"""What is found in a part of a photo, through the function."""

from pathlib import Path

import requests
import skimage.data
from PIL import Image, ImageOps

from tests.pictures import encoded

_SKIMAGE = Path(str(skimage.data.__file__)).parent


def _tags(url: str, image: Image.Image) -> list[list[str]]:
    """Of each tag the words that it implies, and itself."""
    answer = requests.post(url, params={"tags": "1"}, data=encoded(image, "PNG"), timeout=60).json()
    return [[*tag["path"], tag["label"]] for tag in answer["tags"]]


def test_both_of_two_things_beside_each_other_are_tags(clip_url: str) -> None:
    image = Image.new("RGB", (448, 448))
    for left, name in ((0, "chelsea.png"), (224, "coffee.png")):
        with Image.open(_SKIMAGE / name) as opened:
            image.paste(ImageOps.fit(opened.convert("RGB"), (224, 448), Image.Resampling.BICUBIC), (left, 0))

    for either in (image, ImageOps.mirror(image)):
        first, second = sorted(_tags(clip_url, either))
        assert "cat" in first
        assert second == ["food", "drink", "coffee", "espresso"]


def test_nothing_is_found_in_the_parts_of_an_empty_picture(clip_url: str) -> None:
    assert _tags(clip_url, Image.new("RGB", (448, 448), (40, 90, 160))) == []
