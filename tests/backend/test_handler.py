"""The HTTP contract of ``clip``, through the gateway and a real server process."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import skimage.data
from PIL import Image, ImageCms

from backend.clip.export.cifar100 import LABELS, TEMPLATES
from backend.clip.photos.formats import FORMATS
from tests.backend.asking import error_code, post, top
from tests.pictures import encoded, huge_jpeg, huge_png, photo


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return encoded(photo((640, 480)), "JPEG", quality=90)


def test_a_photo_gets_the_five_best_labels(open_clip_url: str, jpeg: bytes) -> None:
    answer = post(open_clip_url, jpeg)

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"predictions", "confidence", "recognized", "model"}
    assert 0 <= body["confidence"] <= 1
    assert body["model"] == "vit/local-dir"
    scores = [prediction["score"] for prediction in body["predictions"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert set(top(answer)) <= set(LABELS)
    timing = dict(part.split(";dur=") for part in answer.headers["Server-Timing"].split(", "))
    assert list(timing) == ["wait", "decode", "inference"]
    assert float(timing["wait"]) >= 0
    assert float(timing["decode"]) > 0
    assert float(timing["inference"]) > 0
    assert answer.headers["X-Recognized"] == ("true" if body["recognized"] else "false")
    assert answer.headers["X-Call-Id"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gets_the_same_best_label(name: str, open_clip_url: str) -> None:
    image = photo((320, 240))
    all_options: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 95},
        "AVIF": {"quality": 95},
    }
    options = all_options.get(name, {})
    if name == "GIF":
        image = image.quantize(256)

    data = encoded(image, name, **options)

    assert top(post(open_clip_url, data, params={"top_k": 1})) == top(
        post(open_clip_url, encoded(image.convert("RGB"), "PNG"), params={"top_k": 1})
    )


def test_every_way_to_send_a_photo_gets_the_same_answer(open_clip_url: str, jpeg: bytes) -> None:
    text = base64.b64encode(jpeg)
    expected = post(open_clip_url, jpeg).json()

    answers = [
        post(open_clip_url, jpeg, headers={"Content-Type": "application/x-www-form-urlencoded"}),
        post(open_clip_url, jpeg, headers={"Content-Type": "text/plain"}),
        requests.post(open_clip_url, files={"image": ("photo.jpg", jpeg, "image/jpeg")}, timeout=60),
        requests.post(open_clip_url, files={"image": (None, jpeg, "image/jpeg")}, timeout=60),
        requests.post(open_clip_url, files={"a": ("", b""), "b": ("x", jpeg)}, data={"labels": " "}, timeout=60),
        requests.put(open_clip_url, data=jpeg, timeout=60),
        post(open_clip_url, text),
        post(open_clip_url, b"\n".join(text[i : i + 76] for i in range(0, len(text), 76)) + b"\n"),
        post(open_clip_url, b"data:image/jpeg;base64," + text),
        post(open_clip_url, b"DATA:;base64," + text),
        requests.post(open_clip_url, data=iter([jpeg[:1000], jpeg[1000:]]), timeout=60),
    ]

    assert [answer.json() for answer in answers] == [expected] * len(answers)


def test_text_for_a_terminal(open_clip_url: str, jpeg: bytes) -> None:
    answer = post(open_clip_url, jpeg, headers={"Accept": "text/plain"}, params={"top_k": 3})

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    body = post(open_clip_url, jpeg).json()
    assert answer.headers["X-Recognized"] == ("true" if body["recognized"] else "false")
    for line, prediction in zip(answer.text.splitlines(), body["predictions"][:3], strict=True):
        label, percent = line.split("\t")
        assert label == prediction["label"]
        assert float(percent.removesuffix("%")) == pytest.approx(100 * prediction["score"], abs=0.06)


def test_scores_have_six_significant_digits(clip_url: str, jpeg: bytes) -> None:
    scores = [each["score"] for each in post(clip_url, jpeg, params={"top_k": 100}).json()["predictions"]]

    assert sum(scores) == pytest.approx(1, abs=1e-5)
    assert all(score == float(f"{score:.6g}") for score in scores)
    assert any(score != float(f"{score:.5g}") for score in scores)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html,*/*;q=0.8", "text/plain;q=0.5, application/json"]
)
def test_json_unless_text_is_preferred(accept: str, open_clip_url: str, jpeg: bytes) -> None:
    assert post(open_clip_url, jpeg, headers={"Accept": accept}).headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("top_k", "count"), [("1", 1), ("7", 7), ("100", 100), ("1000", 100)])
def test_top_k(top_k: str, count: int, open_clip_url: str, jpeg: bytes) -> None:
    assert len(top(post(open_clip_url, jpeg, params={"top_k": top_k}))) == count


def test_own_labels_and_template(open_clip_url: str, jpeg: bytes) -> None:
    labels = ["a red square", "日本語", "<b>markup</b>", "crème brûlée", "🍎"]

    comma = post(open_clip_url, jpeg, params={"labels": ",".join(labels)})
    repeated = post(open_clip_url, jpeg, params={"labels": [*labels, " 🍎 ", ""]})
    prompted = post(open_clip_url, jpeg, params={"labels": labels, "template": "a drawing of one {} on paper"})
    templated = post(open_clip_url, jpeg, params={"template": "a drawing of one {} on paper"})

    assert set(top(comma)) == set(labels)
    assert comma.json() == repeated.json()
    assert comma.json()["predictions"] != prompted.json()["predictions"]
    assert sum(prediction["score"] for prediction in comma.json()["predictions"]) == pytest.approx(1, abs=1e-3)
    assert set(top(templated)) <= set(LABELS)


def test_a_thousand_labels(open_clip_url: str, jpeg: bytes) -> None:
    labels = [f"thing {i}" for i in range(1000)]

    first = post(open_clip_url, jpeg, params={"labels": ",".join(labels)})
    second = post(open_clip_url, jpeg, params={"labels": labels[::-1]})

    assert set(top(first)) <= set(labels)
    assert first.json() == second.json()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"top_k": "0"}, "top_k"),
        ({"top_k": "-1"}, "top_k"),
        ({"top_k": "five"}, "top_k"),
        ({"top_k": "1.5"}, "top_k"),
        ({"top_k": ""}, "top_k"),
        ({"top_k": "1001"}, "top_k"),
        ({"top_k": "٣"}, "top_k"),
        ({"top_k": "9" * 5000}, "top_k"),
        ({"top_k": "0" * 4999 + "5"}, "top_k"),
        ({"top_k": ["5", "6"]}, "only once"),
        ({"labels": ""}, "at least one"),
        ({"labels": " , ,"}, "at least one"),
        ({"labels": ",".join(map(str, range(1001)))}, "1,001 labels"),
        ({"labels": "1" * 90}, "tokens; at most 77"),
        ({"labels": "x" * 201}, "201 characters; at most 200"),
        ({"labels": ["cat", f" a{' ' * 300}dog "]}, "304 characters; at most 200"),
        ({"template": "x" * 199 + "{}"}, "201 characters; at most 200"),
        ({"topk": "3"}, "Did you mean top_k?"),
        ({"label": "cat"}, "Did you mean labels?"),
        ({"candidate_labels": "cat"}, "Did you mean labels?"),
        ({"Top_K": "3"}, "Did you mean top_k?"),
        ({"url": "http://127.0.0.1/photo.jpg"}, "The parameters are: top_k, labels, vocabulary, template, "),
        ({"": "3"}, "The parameters are: top_k, labels, vocabulary, template, "),
        ({"vocabulary": "every"}, "one of labels, everyday, all"),
        ({"vocabulary": "all", "labels": "cat"}, "words of its own"),
        ({"tags": "yes"}, "tags must be 1 or 0"),
        ({"vocabulary": "everyday", "labels": "cat"}, "words of its own"),
        ({"template": "no place for it"}, "exactly once"),
        ({"template": "{} and {}"}, "exactly once"),
        ({"template": "", "labels": "a"}, "exactly once"),
    ],
)
def test_a_value_that_makes_no_sense(params: dict[str, Any], words: str, open_clip_url: str, jpeg: bytes) -> None:
    answer = post(open_clip_url, jpeg, params=params)

    assert answer.status_code == 400
    assert error_code(answer) == "bad_parameter"
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([("labels", "a b " * 250_000)], "characters; at most 200"),
        ([("labels", "cat"), ("labels", "日 本 " * 120_000)], "characters; at most 200"),
        ([("labels", "," * 1_000_000)], "over 100,000 labels"),
        ([("template", "{} " * 300_000)], "characters; at most 200"),
        ([("top_k", "9" * 1_000_000)], "top_k must be"),
        ([("x" * 1_000_000, "1")], "8,192 bytes are accepted"),
        ([("preview", " 1" * 500_000)], "must be 1 or 0"),
    ],
)
def test_a_megabyte_in_a_field(fields: list[tuple[str, str]], words: str, open_clip_url: str, jpeg: bytes) -> None:
    answer = requests.post(open_clip_url, files=[("image", jpeg), *((n, (None, v)) for n, v in fields)], timeout=60)

    assert answer.status_code in (400, 431)
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b"   \n", 400, "empty_body"),
        (b"hello, world", 415, "unsupported_image"),
        (b"hello", 415, "unsupported_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>", 415, "unsupported_image"),
        (b"%PDF-1.7\n1 0 obj", 415, "unsupported_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "unsupported_image"),
        (b"P6 2 2 255 aaaaaaaaaaaa", 415, "unsupported_image"),
        (b'{"image": "http://127.0.0.1/photo.jpg"}', 415, "unsupported_image"),
        (bytes(1000), 415, "unsupported_image"),
        (b"\xff\xd8\xff\xe0" + bytes(100), 422, "corrupt_image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 422, "corrupt_image"),
        (b"GIF89a" + bytes(100), 422, "corrupt_image"),
        (b"BM" + bytes(100), 415, "unsupported_image"),  # of a header that has no size
        (b"II*\x00" + bytes(100), 422, "corrupt_image"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(100), 422, "corrupt_image"),
        (b"\x00\x00\x00\x1cftypavif" + bytes(100), 422, "corrupt_image"),
        (b"\x00\x00\x00\x1cftypheic" + bytes(100), 422, "corrupt_image"),
        (b"data:image/jpeg;base64,@@@@", 422, "corrupt_image"),
        (b"data:image/jpeg;base64,", 400, "empty_body"),
        (b"data:image/svg+xml;base64," + base64.b64encode(b"<svg/>"), 415, "unsupported_image"),
    ],
)
def test_a_body_that_is_no_image(data: bytes, status: int, code: str, open_clip_url: str) -> None:
    answer = post(open_clip_url, data)

    assert (answer.status_code, error_code(answer)) == (status, code)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_truncated_file_is_an_answer_or_a_typed_error(name: str, tenths: int, open_clip_url: str) -> None:
    data = encoded(photo((160, 120)), name)

    answer = post(open_clip_url, data[: len(data) * tenths // 10])

    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert error_code(answer) == "corrupt_image"


@pytest.mark.parametrize("size", [(67_109, 1000), (100_000, 100_000), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_by_the_header(size: tuple[int, int], open_clip_url: str) -> None:
    answer = post(open_clip_url, huge_png(*size))

    assert (answer.status_code, error_code(answer)) == (413, "too_many_pixels")


def test_a_jpeg_of_65535_pixels_square(open_clip_url: str) -> None:
    answer = post(open_clip_url, huge_jpeg())

    assert (answer.status_code, error_code(answer)) == (413, "too_many_pixels")


@pytest.mark.parametrize("size", [20 * 1024 * 1024 + 1, 40 * 1024 * 1024])
def test_too_many_bytes(size: int, open_clip_url: str, jpeg: bytes) -> None:
    answer = post(open_clip_url, jpeg + bytes(size - len(jpeg)))

    assert (answer.status_code, error_code(answer)) == (413, "body_too_large")


def test_too_many_bytes_as_base64(open_clip_url: str, jpeg: bytes) -> None:
    answer = post(open_clip_url, base64.b64encode(jpeg + bytes(20 * 1024 * 1024)))

    assert (answer.status_code, error_code(answer)) == (413, "body_too_large")


def rectangle(mode: str) -> Image.Image:
    """An orange with a leaf, more or less, in any mode."""
    image = photo((96, 64))
    match mode:
        case "I;16":
            return Image.fromarray((np.asarray(image.convert("L")).astype(np.uint16)) * 257)
        case "F":
            return Image.fromarray(np.asarray(image.convert("L")).astype(np.float32) / 255)
        case "LAB":
            lab = ImageCms.profileToProfile(
                image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
            )
            assert lab is not None
            return lab
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "name", "reference"),
    [
        ("1", "PNG", "1"),
        ("1", "TIFF", "1"),
        ("L", "JPEG", None),
        ("P", "PNG", "P"),
        ("P", "GIF", "P"),
        ("LA", "PNG", "L"),
        ("RGBA", "PNG", "RGB"),
        ("RGBA", "WEBP", None),
        ("RGBA", "AVIF", None),
        ("RGBA", "TIFF", "RGB"),
        ("RGBA", "HEIF", None),
        ("I;16", "PNG", "L"),
        ("I;16", "TIFF", "L"),
        ("F", "TIFF", "L"),
        ("CMYK", "JPEG", None),
        ("CMYK", "TIFF", "CMYK"),
        ("LAB", "TIFF", None),
        ("YCbCr", "TIFF", None),
    ],
)
def test_every_mode_is_decoded(mode: str, name: str, reference: str | None, open_clip_url: str) -> None:
    answer = post(open_clip_url, encoded(rectangle(mode), name))

    assert answer.status_code == 200, answer.text
    if reference:
        same = encoded(rectangle(reference).convert("RGB"), "PNG")
        assert answer.json()["predictions"] == post(open_clip_url, same).json()["predictions"]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_what_is_transparent_is_white(mode: str, open_clip_url: str) -> None:
    image, white = photo((96, 64)), photo((96, 64))
    white.paste("white", (0, 0, 96, 32))
    if mode == "RGB":  # a single color is transparent
        image.paste((1, 2, 3), (0, 0, 96, 32))
        data = encoded(image, "PNG", transparency=(1, 2, 3))
    elif mode == "P":
        image = image.quantize(200)
        image.paste(7, (0, 0, 96, 32))
        colors = np.array(image.convert("RGB"))
        colors[np.asarray(image) == 7] = 255
        white = Image.fromarray(colors)
        data = encoded(image, "PNG", transparency=7)
    else:
        image.putalpha(Image.new("L", image.size, 255))
        image.paste((9, 9, 9, 0), (0, 0, 96, 32))
        image, white = image.convert(mode), white.convert("L" if mode == "LA" else "RGB")
        data = encoded(image, "PNG")

    answer = post(open_clip_url, data)

    assert answer.json()["predictions"] == post(open_clip_url, encoded(white, "PNG")).json()["predictions"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_orientation_is_honored(orientation: int, name: str, open_clip_url: str) -> None:
    upright = photo((192, 128))
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(inverse[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    best: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "PNG": {},
        "TIFF": {},
        "HEIF": {"quality": -1, "chroma": 444},
    }
    options = best.get(name, {"quality": 100})
    labels = {"labels": ["one", "two", "three"]}
    # Plain bytes make pillow-heif write irot and imir beside the EXIF block, as Pillow does for AVIF.
    block = exif.tobytes() if name == "HEIF" else exif

    answer = post(open_clip_url, encoded(stored, name, exif=block, **options), params=labels)
    expected = post(open_clip_url, encoded(upright, name, **options), params=labels)
    turned = post(open_clip_url, encoded(stored, name, **options), params=labels)

    scores = {prediction["label"]: prediction["score"] for prediction in answer.json()["predictions"]}
    wanted = {prediction["label"]: prediction["score"] for prediction in expected.json()["predictions"]}
    assert scores == pytest.approx(wanted, abs=0.002)
    if orientation > 1:
        assert turned.json()["predictions"] != expected.json()["predictions"], "the model must see the difference"


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\x00\x00", b"Exif\x00\x00MM\x00*\xff\xff\xff\xff", b"Exif\x00\x00II*\x00" + b"\xff" * 64]
)
def test_a_broken_exif_block_is_no_reason_to_refuse(exif: bytes, open_clip_url: str) -> None:
    answer = post(open_clip_url, encoded(photo((96, 64)), "JPEG", exif=exif))

    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_the_first_frame_of_an_animation(name: str, open_clip_url: str) -> None:
    frames = [photo((96, 64), seed) for seed in range(3)]
    all_options: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}
    options = all_options.get(name, {})

    moving = post(open_clip_url, encoded(frames[0], name, save_all=True, append_images=frames[1:], **options))
    still = post(open_clip_url, encoded(frames[0], name, **options))

    assert moving.status_code == 200, moving.text
    assert top(moving)[0] == top(still)[0]


def test_progressive_jpeg_with_a_color_profile(open_clip_url: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    answer = post(open_clip_url, encoded(photo((96, 64)), "JPEG", progressive=True, icc_profile=profile))

    assert answer.json() == post(open_clip_url, encoded(photo((96, 64)), "JPEG")).json()


def test_get_describes_the_service(open_clip_url: str) -> None:
    answer = requests.get(open_clip_url, timeout=60)

    body = answer.json()
    assert answer.status_code == 200
    assert body["labels"] == list(LABELS)
    assert body["templates"] == list(TEMPLATES)
    assert body["vocabulary"] == "open"
    assert len(body["everyday"]) >= 1000
    assert {"cat", "dog", "person", "pizza", "flamingo"} <= set(body["everyday"])
    assert body["formats"] == list(FORMATS)
    assert body["limits"] == {
        "max_inflight": 16,
        "max_image_bytes": 20971520,
        "max_image_pixels": 67108864,
        "max_images": 64,
        "max_labels": 1000,
        "max_label_characters": 200,
        "max_label_tokens": 77,
        "max_new_label_tokens": 16_384,
    }
    assert requests.head(open_clip_url, timeout=60).status_code == 200


def test_the_everyday_words_are_ranked(open_clip_url: str, jpeg: bytes) -> None:
    words = requests.get(open_clip_url, timeout=60).json()["everyday"]

    in_query = post(open_clip_url, jpeg, params={"vocabulary": "everyday", "top_k": 1000})
    in_form = requests.post(
        open_clip_url, files={"image": jpeg}, data={"vocabulary": "Everyday", "top_k": "1000"}, timeout=60
    )

    assert len(set(top(in_query))) == 1000
    assert set(top(in_query)) <= set(words)
    assert in_form.json() == in_query.json()
    assert "instead" not in in_query.json()
    assert float(in_query.headers["X-Confidence"]) == pytest.approx(in_query.json()["confidence"], abs=1e-4)


def test_both_kinds_of_words_are_ranked_in_one_list(open_clip_url: str, clip_url: str, jpeg: bytes) -> None:
    for url in (open_clip_url, clip_url):
        description = requests.get(url, timeout=60).json()
        answer = post(url, jpeg, params={"vocabulary": "all", "top_k": 1000})
        ranked = top(answer)
        assert len(set(ranked)) == len(ranked) == 1000
        assert set(ranked) <= {*description["labels"], *description["everyday"]}
        assert set(description["labels"]) - set(description["everyday"]) <= set(ranked)
        scores = [prediction["score"] for prediction in answer.json()["predictions"]]
        assert scores == sorted(scores, reverse=True)


def test_tags_are_words_with_what_they_imply(clip_url: str, cat: bytes) -> None:
    answer = post(clip_url, cat, params={"tags": "1"}).json()

    assert answer["tags"]
    assert {word for tag in answer["tags"] for word in (tag["label"], *tag["path"])} >= {"animal", "mammal", "cat"}
    implied = {word for tag in answer["tags"] for word in tag["path"]}
    assert not implied & {tag["label"] for tag in answer["tags"]}
    assert "tags" not in post(clip_url, cat, params={"tags": "0"}).json()


def test_ready(open_clip_url: str) -> None:
    assert requests.get(open_clip_url + "/ready", timeout=60).json() == {"ready": True}


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "OPTIONS"])
def test_other_methods(method: str, open_clip_url: str) -> None:
    answer = requests.request(method, open_clip_url, timeout=60)

    assert (answer.status_code, error_code(answer)) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST, PUT"


def test_other_paths(open_clip_url: str, jpeg: bytes) -> None:
    answer = post(open_clip_url + "/elsewhere", jpeg)

    assert (answer.status_code, error_code(answer)) == (404, "not_found")


def test_the_bundled_model_says_that_its_vocabulary_is_closed(clip_url: str, jpeg: bytes) -> None:
    description = requests.get(clip_url, timeout=60).json()
    assert description["vocabulary"] == "closed"
    assert len(description["everyday"]) >= 1000
    assert {label for group in description["groups"].values() for label in group} == set(LABELS)
    assert set(top(post(clip_url, jpeg, params={"labels": "pear,apple"}))) == {"apple", "pear"}
    folded = post(clip_url, jpeg, params={"labels": "PEAR, Sweet \t Pepper,pear"})
    assert set(top(folded)) == {"PEAR", "Sweet Pepper"}
    for params in ({"labels": "apple,warlus"}, {"template": "a {}"}):
        answer = post(clip_url, jpeg, params=params)
        assert (answer.status_code, error_code(answer)) == (422, "closed_vocabulary")
    unknown = post(clip_url, jpeg, params={"labels": "apple,flamnigo,cat"}).json()["error"]["message"]
    assert "does not know: flamnigo (near: flamingo). GET / lists" in unknown


@pytest.fixture(scope="module")
def cat() -> bytes:
    """A photograph of a cat, by Stefan van der Walt; public domain."""
    return (Path(str(skimage.data.__file__)).parent / "chelsea.png").read_bytes()


def test_the_bundled_model_knows_a_cat(clip_url: str, cat: bytes) -> None:
    answer = post(clip_url, cat).json()
    assert not answer["recognized"]
    words = {word.casefold() for word in answer["instead"]["label"].split()}
    assert words & {"cat", "tabby"}
    assert answer["instead"]["confidence"] >= 0.5

    for params in ({"labels": "cat,dog"}, {"labels": ["Dogs", "cats"]}, {"vocabulary": "everyday"}):
        known = post(clip_url, cat, params=params).json()
        assert "cat" in known["predictions"][0]["label"].casefold()
        assert known["recognized"]
        assert "instead" not in known


def test_one_label_is_the_question_whether_it_is_that(clip_url: str, cat: bytes) -> None:
    pizza = post(clip_url, cat, params={"labels": "pizza"}).json()
    assert pizza["predictions"] == [{"label": "pizza", "score": 1.0}]
    assert pizza["confidence"] < 0.05
    assert not pizza["recognized"]
    assert "cat" in pizza["instead"]["label"]
    assert post(clip_url, cat, params={"labels": "cat"}).json()["recognized"]


def test_many_at_a_time_get_what_one_gets(open_clip_url: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    photos = [encoded(photo((200, 150), seed), "JPEG") for seed in range(48)]
    expected = [post(open_clip_url, data).json() for data in photos]

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda data: post(open_clip_url, data).json(), photos))

    assert answers == expected


def test_the_answer_is_one_line_of_json(open_clip_url: str, jpeg: bytes) -> None:
    text = post(open_clip_url, jpeg, params={"labels": "日本語,🍎"}).text

    assert text.count("\n") == 1
    assert "日本語" in text
    assert json.load(io.StringIO(text))
