"""Random bytes and mutated files get labels or a typed error, never a 500, and in time."""

import base64
import random
from collections.abc import Callable
from itertools import islice
from urllib.parse import urlencode

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functions import verdict
from tests.hardening.fuzz import Fuzzer
from tests.hardening.samples import mutated, real_files
from tests.hardening.structure import FORMATS, seeds
from tests.launch import Running

REAL = real_files()
SECONDS = 20
"""A generous timeout, for a busy machine."""

bounded = settings(
    derandomize=True, deadline=None, max_examples=150, database=None, suppress_health_check=list(HealthCheck)
)
Ask = Callable[..., str]


@pytest.fixture(scope="module")
def ask(service: Running) -> Ask:
    """Posts a body and returns the verdict."""
    session = requests.Session()

    def ask(data: bytes, query: str = "", **headers: str) -> str:
        request = requests.Request("POST", service.url, data=data, headers=headers).prepare()
        request.url = f"{service.url}/?{query}"
        return verdict(session.send(request, timeout=SECONDS))

    return ask


@bounded
@given(st.binary(max_size=2000))
def test_any_bytes(ask: Ask, data: bytes) -> None:
    ask(data)


@bounded
@given(st.sampled_from(sorted(REAL)), st.integers(4, 40), st.binary(max_size=500))
def test_any_bytes_after_the_beginning_of_a_real_file(ask: Ask, kind: str, length: int, data: bytes) -> None:
    ask(REAL[kind][:length] + data)


@pytest.mark.parametrize("kind", sorted(REAL))
def test_a_real_file_is_ranked_and_a_mutated_or_truncated_one_is_answered(ask: Ask, kind: str) -> None:
    source = random.Random(kind)
    data = REAL[kind]

    assert ask(data) == "ranked"
    for tenth in range(1, 10):
        ask(data[: len(data) * tenth // 10])
    for _ in range(40):
        ask(mutated(data, source))


def test_pieces_that_were_not_changed_make_the_same_file() -> None:
    for name, files in seeds().items():
        assert max(len(FORMATS[name].split(data)) for data in files) > 2
        for data in files:
            pieces = FORMATS[name].split(data)
            joined = FORMATS[name].join(pieces)
            # The directory of a TIFF is written anew, behind the file.
            assert FORMATS[name].split(joined)[1:] == pieces[1:] if name == "tiff" else joined == data


def test_files_whose_pieces_were_changed(service: Running) -> None:
    outcomes = list(islice(Fuzzer(service, random.Random(1)).run(), 120))

    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert {"ranked", "corrupt_image", "unsupported_image", "404"} <= {outcome.verdict for outcome in outcomes}
    assert {outcome.kind for outcome in outcomes} >= FORMATS.keys()


@bounded
@given(
    st.sampled_from(["multipart/form-data", "multipart/form-data; boundary=x", 'multipart/form-data; boundary="\x7f"']),
    st.lists(
        st.sampled_from(
            [
                b"--x",
                b"--x--",
                b"\r\n",
                b"\n",
                b"\r\n\r\n",
                b'Content-Disposition: form-data; name="a"; filename="b"',
                b"Content-Disposition: form-data; name=a; filename*=utf-9''%ff",
                b"Content-Type: text/plain; charset=no-such",
                b"Content-Transfer-Encoding: base64",
                b"Content-Length: -1",
                REAL["png"],
            ]
        )
        | st.binary(max_size=20),
        max_size=14,
    ),
)
def test_any_form(ask: Ask, content_type: str, parts: list[bytes]) -> None:
    ask(b"".join(parts), **{"Content-Type": content_type})


@bounded
@given(
    st.sampled_from([b"", b"data:image/png;base64,", b"data:;base64,", b"DATA:x/y;a=b;base64,", b"data:,"]),
    st.sampled_from(sorted(REAL)),
    st.integers(0, 200),
    st.binary(max_size=8),
)
def test_any_base64(ask: Ask, prefix: bytes, kind: str, at: int, junk: bytes) -> None:
    text = base64.b64encode(REAL[kind][:3000])

    ask(prefix + text[:at] + junk + text[at:])


VALUE = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(["{}", "a {}", "0", "5", "-1", "1e9"])


@bounded
@given(st.lists(st.tuples(st.sampled_from(["top_k", "labels", "template", "other"]), VALUE), max_size=4))
def test_any_parameters(ask: Ask, parameters: list[tuple[str, str]]) -> None:
    ask(REAL["png"], urlencode(parameters))


@bounded
@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=60))
def test_any_query(ask: Ask, query: str) -> None:
    ask(REAL["png"], query)
    ask(REAL["png"], "labels=" + query)
