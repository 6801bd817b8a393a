"""Several photos in one form."""

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.backend.asking import error_code, post
from tests.launch import Running
from tests.pictures import encoded, huge_png, photo

PHOTOS = [encoded(photo((320, 240), seed), name) for seed, name in enumerate(["JPEG", "PNG", "WEBP"])]


def form(url: str, *files: bytes, **options: Any) -> requests.Response:
    parts = [("photo", (f"{number}.jpg", data)) for number, data in enumerate(files)]
    return requests.post(url, files=parts, timeout=60, **options)


def test_each_photo_gets_the_answer_that_it_gets_alone_in_their_order(clip_url: str) -> None:
    for parameters in ({}, {"labels": "pear,apple,dog"}, {"vocabulary": "everyday", "top_k": "3"}):
        alone = [post(clip_url, data, params=parameters).json() for data in PHOTOS]

        in_query = form(clip_url, *PHOTOS, *PHOTOS[::-1], params=parameters)
        in_form = form(clip_url, *PHOTOS, data=parameters)

        assert in_query.status_code == 200
        assert in_query.json() == {"results": alone + alone[::-1], "model": alone[0]["model"]}
        assert in_form.json()["results"] == alone
    assert [part.partition(";")[0] for part in in_form.headers["Server-Timing"].split(", ")] == [
        "wait",
        "decode",
        "inference",
    ]


def test_each_photo_has_its_own_error(clip_url: str) -> None:
    bad = [b"", b"text", PHOTOS[0][:300], huge_png(70_000, 1000), PHOTOS[0] + bytes(21 << 20)]
    alone = [post(clip_url, data).json() for data in (*bad, base64.b64encode(PHOTOS[1]))]

    answer = form(clip_url, *bad, base64.b64encode(PHOTOS[1]))

    assert answer.status_code == 200
    assert answer.json()["results"] == alone
    codes = [result["error"]["code"] for result in answer.json()["results"][:-1]]
    assert codes == ["empty_body", "unsupported_image", "corrupt_image", "too_many_pixels", "body_too_large"]


def test_a_parameter_that_makes_no_sense_is_the_error_of_the_whole(clip_url: str) -> None:
    for parameters, status, code in (
        ({"top_k": "0"}, 400, "bad_parameter"),
        ({"labels": "warlus"}, 422, "closed_vocabulary"),
    ):
        answer = form(clip_url, *PHOTOS, data=parameters)
        assert (answer.status_code, error_code(answer)) == (status, code)


def test_as_many_as_are_accepted_while_others_are_answered(clip_url: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        many = [threads.submit(form, clip_url, *[PHOTOS[0]] * 64) for _ in range(2)]
        one = post(clip_url, PHOTOS[0])
        assert one.status_code == 200
        assert not any(each.done() for each in many)
    for each in many:
        assert each.result().json()["results"] == [one.json()] * 64


def test_an_empty_file_field_is_no_file(clip_url: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="%s"\r\n\r\n%s\r\n'
    body = part % (b"", b"") + part % (b"a.jpg", PHOTOS[0]) + b"--x--\r\n"

    answer = post(clip_url, body, headers={"Content-Type": "multipart/form-data; boundary=x"})

    assert answer.json() == post(clip_url, PHOTOS[0]).json()


def test_index_passes_on_several_photos_and_hugging_faces_form(application: Running) -> None:
    clip, index = (f"{application.url}/function/{name}" for name in ("clip", "index"))
    inputs = {"inputs": base64.b64encode(PHOTOS[0]).decode()}

    assert form(index, *PHOTOS).json() == form(clip, *PHOTOS).json()
    asked = requests.post(index, json=inputs, timeout=60)
    assert asked.json() == requests.post(clip, json=inputs, timeout=60).json()
