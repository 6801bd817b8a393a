"""The page on a home screen: manifest and icon, and photos that a gallery shares with it."""

from io import BytesIO
from urllib.parse import urljoin

import pytest
import requests
from PIL import Image

from backend.clip.photos import formats
from frontend.index.document import ENDINGS
from frontend.index.start_page import MEASURED
from tests.documents import ROOT

from .gateway import EVERYTHING, Gateway
from .photos import photo

PREFIXES = ["/function/index", "/function/index/", "/tools/deep/index"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_gallery_shares_a_photo_with_the_page(gateway: Gateway, prefix: str) -> None:
    """As a browser does what the manifest says; its addresses are relative to the manifest's own."""
    address = f"{gateway.url}{prefix}?manifest"
    response = requests.get(address, timeout=20)
    assert response.headers["Content-Type"] == "application/manifest+json"
    manifest = response.json()
    assert manifest["start_url"] == "?"  # the same address without its query, which urljoin does not do
    target = manifest["share_target"]
    assert (target["method"], target["enctype"]) == ("POST", "multipart/form-data")
    [files] = target["params"]["files"]
    assert "image/*" in files["accept"]
    shared = requests.post(
        urljoin(address, target["action"]),
        files={files["name"]: ("IMG_1.jpg", photo(), "image/jpeg")},
        headers={"Accept": "text/html"},
        timeout=20,
    )
    assert shared.status_code == 200
    assert "an apple" in shared.text
    assert gateway.seen[0].query == EVERYTHING
    assert gateway.seen[0].body == photo()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_icon_is_there(gateway: Gateway, prefix: str) -> None:
    address = f"{gateway.url}{prefix}?manifest"
    [icon] = requests.get(address, timeout=20).json()["icons"]
    response = requests.get(urljoin(address, icon["src"]), timeout=20)
    assert response.headers["Content-Type"] == icon["type"] == "image/png"
    width, height = Image.open(BytesIO(response.content)).size
    assert f"{width}x{height}" == icon["sizes"]
    assert width >= 512  # what browsers ask of it


def test_a_browser_need_not_look_for_an_icon(index: str) -> None:
    html = requests.get(index, timeout=20).text
    assert '<link rel="icon" type="image/png" sizes="512x512" href="?icon">' in html
    assert '<link rel="manifest" href="?manifest">' in html


def test_all_that_is_read_can_be_chosen() -> None:
    assert set(ENDINGS) == {*formats.ENDINGS}


def test_how_often_it_is_wrong_is_what_was_measured() -> None:
    [row] = [
        line
        for line in (ROOT / "docs" / "answers.md").read_text("utf-8").splitlines()
        if "or more, and wrong**" in line
    ]
    for measured in MEASURED.values():
        assert f"**{measured['low']} %** | **{measured['high']} %**" in row
