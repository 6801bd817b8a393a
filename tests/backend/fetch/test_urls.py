"""Which URLs are taken, by their text alone: nothing is looked up, and nothing connected to."""

from urllib.parse import urlsplit

import hypothesis
import pytest
from hypothesis import strategies
from urllib3.util import parse_url

from backend.clip.errors import BadParameter, UrlNotAllowed
from backend.clip.fetch.urls import Origin, Remote, allowed_origins, require_allowed

ALLOWED = allowed_origins("https://photos.example.com, http://127.0.0.1:9000 https://[2001:db8::1]:8443/")
S3 = "https://photos.example.com/bucket/2026/a%20b.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=K%2F20261201"


def test_what_is_named_is_allowed() -> None:
    assert {
        Origin("https", "photos.example.com", 443),
        Origin("http", "127.0.0.1", 9000),
        Origin("https", "[2001:db8::1]", 8443),
    } == ALLOWED
    assert allowed_origins("") == allowed_origins(" , ") == frozenset()


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        (S3, ("https", "photos.example.com", 443), S3.removeprefix("https://photos.example.com")),
        ("HTTPS://Photos.Example.COM:443", ("https", "photos.example.com", 443), "/"),
        ("http://127.0.0.1:9000/a?b=/c?d", ("http", "127.0.0.1", 9000), "/a?b=/c?d"),
        ("https://[2001:DB8::1]:8443/a", ("https", "[2001:db8::1]", 8443), "/a"),
    ],
)
def test_a_plain_url_of_such_an_origin_is_taken(url: str, origin: tuple[str, str, int], target: str) -> None:
    assert require_allowed(url, ALLOWED) == Remote(Origin(*origin), target)


@pytest.mark.parametrize(
    "url",
    [
        "http://photos.example.com/",  # another scheme
        "https://photos.example.com:8443/",
        "https://photos.example.com:0/",
        "https://photos.example.com:99999/",
        "https://photos.example.com./",
        "https://photos.example.com.evil.example/",
        "https://evilphotos.example.com/",
        "https://example.com/",
        "https://127.0.0.1:9000/",
        "http://127.0.0.1/",
        "http://127.0.0.1:9001/",
        # The same address in other words.
        "http://2130706433:9000/",
        "http://0x7f000001:9000/",
        "http://0x7f.0.0.1:9000/",
        "http://017700000001:9000/",
        "http://0177.0.0.1:9000/",
        "http://127.1:9000/",
        "http://127.0.0.01:9000/",
        "http://127.0.0.1.:9000/",
        "http://127.0.0.2:9000/",
        "http://0:9000/",
        "http://0.0.0.0:9000/",
        "http://localhost:9000/",
        "http://127.0.0.1.nip.io:9000/",
        "http://[::1]:9000/",
        "http://[::ffff:127.0.0.1]:9000/",
        "http://[::ffff:7f00:1]:9000/",
        "http://[::127.0.0.1]:9000/",
        "http://[2002:7f00:1::]:9000/",
        "http://[64:ff9b::7f00:1]:9000/",
        "http://[0:0:0:0:0:ffff:7f00:0001]:9000/",
        "https://[2001:db8:0::1]:8443/",  # the allowed one, in longer words
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
    ],
)
def test_any_other_origin_is_refused_by_name(url: str) -> None:
    with pytest.raises(UrlNotAllowed, match="is not in allow_urls"):
        require_allowed(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "photos.example.com/a.jpg",
        "//photos.example.com/a.jpg",
        "https:photos.example.com",
        "https:/photos.example.com/",
        "https:///photos.example.com/",
        "ftp://photos.example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:9000/",
        "data:image/png;base64,AAAA",
        "jar:https://photos.example.com/!/",
        # Whom one reader takes for the host, another takes for the user.
        "https://user@photos.example.com/",
        "https://user:secret@photos.example.com/",
        "https://photos.example.com@evil.example/",
        "https://photos.example.com:443@evil.example/",
        "https://evil.example#@photos.example.com/",
        "https://evil.example\\@photos.example.com/",
        "https://photos.example.com\\.evil.example/",
        "https://photos.example.com#.evil.example/",
        "https://photos.example.com/a#b",
        "https://photos.example.com?a=b",
        "https://photos.example.com%2eevil.example/",
        "https://photos.example.com:/",
        "https://photos.example.com:443:443/",
        "https://photos.example.com:+443/",
        "https://photos.example.com:\uff14\uff14\uff13/",
        "https://photos。example。com/",
        "https://ⓟhotos.example.com/",
        "https://photos_.example.com/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://::1/",
        "https://[v1.photos]/",
        # A second request, or a header, in the first.
        "https://photos.example.com/a\r\nHost: evil.example",
        "https://photos.example.com/a HTTP/1.1",
        "https://photos.example.com/a\n",
        "https://photos.example.com/a\tb",
        "https://photos.example.com/a\0",
        "https://photos.example.com/\u00e9.jpg",
        " https://photos.example.com/",
        "https://photos.example.com/" + "a" * 4096,
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(BadParameter, match="must be an absolute https:// URL"):
        require_allowed(url, ALLOWED)


ORIGINS = ["https://photos.example.com", "http://127.0.0.1:9000", "https://[2001:db8::1]:8443"]
PIECES = [
    *(*ORIGINS, "https://", "evil.example", ":443", "/", "//", "\\", "@", "#", "?", ":", "%", "%2f", "%40", "%00"),
    *(".", "..", ";", "&", "=", "a", " ", "\t", "\r\n"),
]


def test_no_other_reader_sees_another_host_in_what_is_taken() -> None:
    taken: set[str] = set()

    @hypothesis.given(
        strategies.sampled_from(ORIGINS),
        strategies.sampled_from(["", "/", "/a", "/?"]),
        strategies.lists(strategies.sampled_from(PIECES), max_size=5).map("".join),
    )
    @hypothesis.settings(max_examples=300, deadline=None, derandomize=True, database=None)
    def holds(origin: str, start: str, rest: str) -> None:
        url = origin + start + rest
        try:
            remote = require_allowed(url, ALLOWED)
        except (BadParameter, UrlNotAllowed):
            return
        split, parsed = urlsplit(url), parse_url(url)
        host, port = remote.origin.bare_host, remote.origin.port
        assert split.hostname == (parsed.host or "").strip("[]") == host
        assert {split.port or port, parsed.port or port} == {port}
        assert split.username is split.password is parsed.auth is None
        assert not split.fragment
        assert remote.target == (split.path or "/") + (f"?{split.query}" if "?" in url else "")
        assert remote.target.isascii()
        assert remote.target.isprintable()
        assert " " not in remote.target
        taken.add(url)

    holds()
    assert len(taken) > 20


def test_an_address_of_s3_says_how_to_sign_it() -> None:
    with pytest.raises(BadParameter, match="'aws s3 presign'"):
        require_allowed("S3://bucket/key.jpg", ALLOWED)


@pytest.mark.parametrize("url", [S3, "s3://bucket/key", "nonsense", "http://127.0.0.1/"])
def test_nothing_is_allowed_where_nothing_is_named(url: str) -> None:
    with pytest.raises(UrlNotAllowed, match="allow_urls names no origins"):
        require_allowed(url, frozenset())


@pytest.mark.parametrize("url", ["http://[::1]/?secret", "https://evil.example/a?X-Amz-Signature=secret"])
def test_a_message_repeats_no_signature(url: str) -> None:
    with pytest.raises(UrlNotAllowed) as refused:
        require_allowed(url, ALLOWED)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "setting",
    [
        "*",
        "https://*",
        "https://*.example.com",
        "photos.example.com",
        "https://photos.example.com/bucket",
        "https://photos.example.com?a",
        "https://user@photos.example.com",
        "ftp://photos.example.com",
        "https://photos.example.com:0",
        "https://photos.example.com:65536",
        "https://photos.example.com.",
        "https://photos..example.com",
        "https://-photos.example.com",
        "http://2130706433:9000",
        "http://0x7f.1",
        "http://127.1",
        "http://127.0.0.01",
        "http://1.2.3.4.5",
        "http://[::0001]",
        "http://[::ffff:127.0.0.1]",
        "https://good.example, nonsense",
    ],
)
def test_a_setting_that_makes_no_sense_is_named(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^allow_urls "):
        allowed_origins(setting)
