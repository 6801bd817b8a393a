"""Request bodies through the gateway: forms, and bodies that are not image files."""

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from tests.backend.asking import error_code, post, top
from tests.pictures import encoded, photo

PHOTO = encoded(photo((640, 480)), "JPEG", quality=90)
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


def form(url: str, *parts: tuple[str, Any], **options: Any) -> requests.Response:
    """Posts a multipart form: a value that is bytes is a file, a str is a field."""
    files = [(name, ("photo.jpg", value) if isinstance(value, bytes) else (None, value)) for name, value in parts]
    return requests.post(url, files=files, timeout=60, **options)


def message(answer: requests.Response) -> str:
    return str(answer.json()["error"]["message"])


@cache
def noise(size: int, name: str) -> bytes:
    """A file of about that many random bytes."""
    side = int((size / 3) ** 0.5)
    pixels = np.random.default_rng(size).integers(0, 256, (side, side, 3), np.uint8)
    return encoded(Image.fromarray(pixels), name, **({"quality": 100, "subsampling": 0} if name == "JPEG" else {}))


@pytest.mark.parametrize("name", ["BMP", "PNG", "JPEG"])
@pytest.mark.parametrize("size", [100_000, 4_000_000, 19_000_000])
def test_a_form_with_a_large_file_of_any_bytes(size: int, name: str, clip_url: str) -> None:
    data = noise(size, name)
    assert len(data) > size * 0.9

    assert form(clip_url, ("image", data)).json() == post(clip_url, data).json()


@pytest.mark.parametrize("size", [32_768 - 150, 65_536 - 160, 98_304 - 170])
def test_a_file_that_ends_anywhere_in_the_pieces_that_the_form_is_read_in(size: int, clip_url: str) -> None:
    """What follows the photo, line breaks above all, is the file's too, and a photo stays what it is."""
    image = encoded(photo((16, 16)), "PNG")
    expected = post(clip_url, image).json()
    tails = [b"\r\n--" * 3, b"\r", b"\n", b"\r\n", b""]

    for more in range(40):
        data = image + bytes(size + 8 * more - len(image)) + tails[more % len(tails)]
        assert form(clip_url, ("image", data)).json() == expected


def test_fields_are_parameters(open_clip_url: str) -> None:
    parameters = {"labels": "a cat,a dog,a walrus", "top_k": "2", "template": "a drawing of {}"}
    expected = post(open_clip_url, PHOTO, params=parameters).json()

    assert len(expected["predictions"]) == 2
    assert form(open_clip_url, ("image", PHOTO), *parameters.items()).json() == expected
    assert form(open_clip_url, *parameters.items(), ("image", PHOTO)).json() == expected
    labels = {"labels": parameters.pop("labels")}
    assert form(open_clip_url, ("image", PHOTO), *parameters.items(), params=labels).json() == expected


def test_labels_that_are_repeated_may_have_commas(open_clip_url: str) -> None:
    labels = ["Paris, France", "Rome,\tItaly", "PARIS, FRANCE", ""]

    query = post(open_clip_url, PHOTO, params={"labels": labels})
    fields = form(open_clip_url, ("image", PHOTO), *(("labels", label) for label in labels))
    both = form(open_clip_url, ("image", PHOTO), ("labels", labels[1]), params={"labels": labels[0]})
    one = post(open_clip_url, PHOTO, params={"labels": labels[:1]})

    assert set(top(query)) == {"Paris, France", "Rome, Italy"}
    assert query.json() == fields.json() == both.json()
    assert set(top(one)) == {"Paris", "France"}


def test_a_thousand_labels_as_fields(open_clip_url: str) -> None:
    labels = [f"thing {i}" for i in range(1000)]

    answer = form(open_clip_url, ("image", PHOTO), *(("labels", label) for label in labels), ("top_k", "1000"))

    assert set(top(answer)) == set(labels)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([("image", PHOTO), ("top_k", "0")], "top_k"),
        ([("image", PHOTO), ("top_k", "9" * 5000)], "top_k"),
        ([("image", PHOTO), ("topk", "3")], "Did you mean top_k?"),
        ([("image", PHOTO), ("label", "cat")], "Did you mean labels?"),
        ([("image", PHOTO), ("submit", "Send")], "There is no parameter 'submit'."),
        ([("image", PHOTO), ("x" * 900, "1")], "…'."),
        ([("image", PHOTO)] * 65, "65 files; at most 64"),
        ([("image", PHOTO), ("image", PHOTO), ("topk", "3")], "Did you mean top_k?"),
        ([("image", PHOTO), ("labels", b"cat,dog")], "labels was sent as a file"),
    ],
)
def test_a_form_that_makes_no_sense(parts: list[tuple[str, Any]], words: str, clip_url: str) -> None:
    answer = form(clip_url, *parts)

    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
    assert words in message(answer)


@pytest.mark.parametrize("empty", [("photo", ""), ("top_k", " "), ("labels", "\n"), ("template", "")])
def test_a_field_that_is_empty_is_no_field(empty: tuple[str, str], clip_url: str) -> None:
    assert form(clip_url, ("image", PHOTO), empty).json() == post(clip_url, PHOTO).json()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([("image", "photo.jpg")], "-F image=@photo.jpg"),
        ([("photo", "https://example.com/photo.jpg"), ("top_k", "1")], "URLs are not fetched here"),
        ([("labels", "apple,pear")], "has no file"),
        ([("image", b"")], "has no file"),
    ],
)
def test_a_form_without_a_file(parts: list[tuple[str, Any]], words: str, clip_url: str) -> None:
    answer = form(clip_url, *parts)

    assert (answer.status_code, error_code(answer)) == (400, "empty_body")
    assert words in message(answer)


@pytest.mark.parametrize(
    "more",
    [
        [("labels", "x" * 2_000_000)],
        [("labels", "x" * 1000)] * 1100,
        [("labels", "x" * 20_000)] * 60,
    ],
)
def test_a_form_with_too_much_text(more: list[tuple[str, str]], clip_url: str) -> None:
    answer = form(clip_url, ("image", PHOTO), *more)

    assert (answer.status_code, error_code(answer)) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("content_type", "data", "code"),
    [
        ("multipart/form-data", b"anything", "corrupt_image"),
        ("multipart/form-data; boundary=x", b"--x\r\nno headers", "corrupt_image"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", "empty_body"),
        ("multipart/form-data; boundary=x", b"", "empty_body"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n--x--\r\n',
            "empty_body",
        ),
    ],
)
def test_a_form_that_cannot_be_read_or_is_empty(content_type: str, data: bytes, code: str, clip_url: str) -> None:
    assert error_code(post(clip_url, data, headers={"Content-Type": content_type})) == code


@pytest.mark.parametrize(
    ("data", "content_type", "words"),
    [
        (b"https://example.com/photo.jpg", "text/plain", "URLs are not fetched here"),
        (b"https://example.com/photo.jpg", URLENCODED["Content-Type"], "URLs are not fetched here"),
        (json.dumps({"photo": "https://example.com/photo.jpg"}).encode(), "application/json", "It is JSON"),
        (json.dumps({"image": base64.b64encode(PHOTO).decode()}).encode(), URLENCODED["Content-Type"], "It is JSON"),
        (b"photo.jpg", URLENCODED["Content-Type"], "name of a file"),
        (b"image=photo.jpg&top_k=3", URLENCODED["Content-Type"], "-F image=@photo.jpg"),
        (b"image=@photo.jpg", URLENCODED["Content-Type"], "-F image=@photo.jpg"),
    ],
)
def test_what_to_send_instead(data: bytes, content_type: str, words: str, clip_url: str) -> None:
    answer = post(clip_url, data, headers={"Content-Type": content_type})

    assert (answer.status_code, error_code(answer)) == (415, "unsupported_image")
    assert words in message(answer)


def curl_d(data: bytes) -> bytes:
    """What ``curl -d @FILE`` sends of a file."""
    return data.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")


def curl_d_of_old(data: bytes) -> bytes:
    return data.replace(b"\r", b"").replace(b"\n", b"")


@pytest.mark.parametrize("strip", [curl_d, curl_d_of_old])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("JPEG", {"quality": quality}) for quality in (30, 75, 95)),
        *(("JPEG", {"quality": 85, "optimize": True}), ("JPEG", {"quality": 85, "progressive": True})),
        *((name, {}) for name in ("PNG", "WEBP", "AVIF", "HEIF", "TIFF")),
    ],
)
def test_a_photo_without_its_line_breaks(
    name: str, options: dict[str, Any], strip: Callable[[bytes], bytes], clip_url: str
) -> None:
    data = encoded(Image.effect_noise((160, 120), 60).convert("RGB"), name, **options)
    whole = post(clip_url, data, headers=URLENCODED)

    answer = post(clip_url, strip(data), headers=URLENCODED)

    assert whole.status_code == 200
    assert (answer.status_code, error_code(answer)) == (422, "corrupt_image")
    assert "--data-binary" in message(answer)
