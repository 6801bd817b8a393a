"""What a browser asks for to put the page on a home screen, from where a gallery can share a photo with it."""

import json
from http import HTTPStatus
from pathlib import Path

from server.interface import Response

from .languages import VARY
from .texts import Texts

_ICON = (Path(__file__).parent / "page" / "icon.png").read_bytes()
_DAY = {"Cache-Control": "max-age=86400", "X-Content-Type-Options": "nosniff"}
# What the page itself asks for.
EVERYTHING = "?vocabulary=all&tags=1"


def icon() -> Response:
    """The icon of the page, as a PNG that fills a square."""
    return {"statusCode": HTTPStatus.OK, "headers": _DAY | {"Content-Type": "image/png"}, "body": _ICON}


def manifest(texts: Texts) -> Response:
    """The web application manifest; its addresses are relative, as only the gateway knows the prefix."""
    document = {
        "lang": texts.code,
        "name": texts.say("title"),
        "short_name": texts.say("app-name"),
        "description": texts.say("description"),
        "start_url": "?",
        "display": "standalone",
        "background_color": "#f2f0e9",
        "theme_color": "#f2f0e9",
        "icons": [{"src": "?icon", "type": "image/png", "sizes": "512x512", "purpose": "any maskable"}],
        "share_target": {
            "action": EVERYTHING,
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "photo", "accept": ["image/*"]}]},
        },
    }
    headers = _DAY | {"Content-Type": "application/manifest+json", "Vary": VARY}
    return {"statusCode": HTTPStatus.OK, "headers": headers, "body": json.dumps(document, ensure_ascii=False)}
