"""The optional API key, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from frontend.index.clip import Clip
from frontend.index.errors import Failure
from frontend.index.session import session
from frontend.index.upload import ANY_BYTES, Upload
from tests.frontend.caller import caller
from tests.functions import clip, verdict
from tests.launch import Running, local
from tests.pictures import encoded, photo

KEY = "correct-horse~battery=staple"
PHOTO = encoded(photo((96, 64)), "JPEG")


def secrets(folder: Path, key: bytes) -> str:
    folder.mkdir()
    (folder / "clip-api-key").write_bytes(key)
    return str(folder)


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """``clip`` with the secret mounted, with the line's end that an editor leaves."""
    with clip(secrets_dir=secrets(tmp_path_factory.mktemp("key") / "secrets", KEY.encode() + b"\n")) as program:
        yield program


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer {KEY}"}, {"X-Api-Key": KEY}],
)
def test_a_request_with_the_key_is_answered(headers: dict[str, str], protected: Running) -> None:
    assert verdict(requests.post(protected.url, data=PHOTO, headers=headers, timeout=30)) == "ranked"
    assert requests.get(protected.url, headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"X-Api-Key": ""},
        {"X-Api-Key": "é"},
        {"X-Api-Key": KEY.upper()},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_request_without_the_key_is_refused(headers: dict[str, str], method: str, protected: Running) -> None:
    encoded_headers = {name: value.encode() for name, value in headers.items()}

    answer = requests.request(method, protected.url, data=PHOTO, headers=encoded_headers, timeout=30)

    assert (answer.status_code, verdict(answer)) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert KEY not in answer.text


def test_readiness_needs_no_key(protected: Running) -> None:
    assert requests.get(protected.url + "/ready", timeout=30).status_code == 200


@pytest.mark.parametrize("key", [b"\n", b"two words", "schlüssel".encode()])
def test_a_key_that_makes_no_sense_lets_no_request_in(key: bytes, tmp_path: Path) -> None:
    folder = secrets(tmp_path / "secrets", key)

    with clip(wait_for_ready=False, secrets_dir=folder) as program:
        answer = requests.post(program.url, data=PHOTO, headers={"X-Api-Key": key.strip()}, timeout=30)

        assert answer.status_code == 503
        assert "visible ASCII characters" in program.output()


def test_index_sends_the_key_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("secrets_dir", secrets(tmp_path / "secrets", KEY.encode()))
    with local() as program:
        assert verdict(requests.post(program.url + "/function/index", data=PHOTO, timeout=30)) == "ranked"
        assert requests.get(program.url + "/function/index?describe", timeout=30).status_code == 200
        assert verdict(requests.post(program.url + "/function/clip", data=PHOTO, timeout=30)) == "unauthorized"
        assert KEY not in program.output()


def test_index_with_another_key_says_that_its_own_is_wrong(protected: Running) -> None:
    clip = Clip(protected.url, timeout=30, session=session(1), api_key="another")
    with pytest.raises(Failure) as caught:
        clip.recognize(Upload(PHOTO, ANY_BYTES, []), "application/json", caller())

    assert (caught.value.code, caught.value.status) == ("unauthorized", 401)
    assert "of this function" in caught.value.message
