"""What well-behaved callers send: every format, every form of a request, to both functions."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from PIL import Image

from tests.pictures import encoded, photo

_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {"quality": 85}),
    "progressive JPEG": ("JPEG", {"quality": 85, "progressive": True}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {}),
    "GIF": ("GIF", {}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "AVIF": ("AVIF", {}),
    "HEIC": ("HEIF", {"enc_params": {"preset": "ultrafast"}}),
}
LARGE = ("JPEG", "AVIF", "HEIC")
"""The formats that photos of 12 megapixels come in."""
_OFTEN, _SOMETIMES, _RARELY = 8, 4, 1


@dataclass(frozen=True, eq=False)
class Good:
    """A request that must be answered 200, with what it was answered alone.

    ``gist`` takes what must be the same out of the answer; ``share`` is how often it is sent, compared with others.
    """

    name: str
    function: str
    gist: Callable[[requests.Response], object]
    share: int = _SOMETIMES
    path: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def send(self, session: requests.Session, gateway: str) -> requests.Response:
        """``gateway`` is its address."""
        method = "POST" if self.options else "GET"
        url = f"{gateway}/function/{self.function}{self.path}"
        return session.request(method, url, timeout=60, **self.options)


def good_traffic(large: Sequence[str] = LARGE) -> list[Good]:
    """All kinds, with photos of 12 megapixels in these formats; it takes seconds to make them."""
    image = photo((640, 480))
    image_12 = image.resize((4000, 3000), Image.Resampling.BICUBIC)
    files = {name: encoded(image, kind, **options) for name, (kind, options) in _FORMATS.items()}
    larger = {name: encoded(image_12, _FORMATS[name][0], **_FORMATS[name][1]) for name in large}
    jpeg = files["JPEG"]
    text = base64.b64encode(jpeg).decode()
    uri = f"data:image/jpeg;base64,{text}"
    good = [
        *(Good(name, "clip", _best, _OFTEN, options={"data": data}) for name, data in files.items()),
        *(Good(name, "index", _best, options={"data": data}) for name, data in files.items()),
        *(
            Good(f"{name}, 12 MP", function, _best, _RARELY, options={"data": data})
            for name, data in larger.items()
            for function in ("clip", "index")
        ),
        Good("embeddings", "clip", _embeddings, path="/v1/embeddings", options={"json": {"input": [uri, "apple"]}}),
        Good("the description", "clip", lambda answer: answer.json()["model"], _RARELY),
        Good("the page", "index", lambda answer: "</html>" in answer.text, _RARELY),
    ]
    forms: dict[str, tuple[Callable[[requests.Response], object], dict[str, Any]]] = {
        "form": (_best, {"files": {"image": ("photo.jpg", jpeg)}}),
        "form of two photos": (_each, {"files": [("image", ("a.jpg", jpeg)), ("image", ("b.png", files["PNG"]))]}),
        "base64": (_best, {"data": text}),
        "data URI": (_best, {"data": uri}),
        "Hugging Face": (lambda answer: answer.json()[0]["label"], {"json": {"inputs": text}}),
        "labels": (_best, {"data": jpeg, "params": {"labels": "apple,pear,cat"}}),
        "everyday words": (_best, {"data": jpeg, "params": {"vocabulary": "everyday", "top_k": "50"}}),
        "explain": (_best, {"data": jpeg, "params": {"explain": "1"}}),
        "preview": (_best, {"data": files["HEIC"], "params": {"preview": "1"}}),
        "plain text": (lambda answer: answer.text.split("\t")[0], {"data": jpeg, "headers": {"Accept": "text/plain"}}),
    }
    for function in ("clip", "index"):
        good += [Good(name, function, gist, options=options) for name, (gist, options) in forms.items()]
    return good


def _best(answer: requests.Response) -> object:
    return _gist(answer.json())


def _each(answer: requests.Response) -> object:
    return [_gist(one) for one in answer.json()["results"]]


def _gist(said: dict[str, Any]) -> object:
    return said["predictions"][0]["label"], len(said["predictions"]), said["recognized"], sorted(said)


def _embeddings(answer: requests.Response) -> object:
    """Where each vector is longest."""
    vectors = [one["embedding"] for one in json.loads(answer.content)["data"]]
    return [max(range(len(vector)), key=lambda at: abs(vector[at])) for vector in vectors]
