"""The public sets: read from copies, downloaded from a server on this computer, and what is said where that fails."""

import errno
import hashlib
import http.server
import shutil
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torchvision.datasets

from backend.clip.export import public_sets
from backend.clip.export.public_sets import SETS, SetError, read_sets
from tests.backend.export.public_copies import CALTECH, PER_CLASS, TEXTURES, accept_copy, write_sets, write_textures


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_sets(tmp_path / "copies")
    accept_copy(folder, monkeypatch)
    return folder


class Archive:
    """A server of one archive, of which it may send the first half only."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.broken = False
        self.requests = 0


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    write_textures(tmp_path / "made" / "dtd")
    with tarfile.open(tmp_path / "dtd.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "made" / "dtd", "dtd")
    served = Archive((tmp_path / "dtd.tar.gz").read_bytes())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(served.content)))
            self.end_headers()
            self.wfile.write(served.content[: len(served.content) // 2] if served.broken else served.content)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(torchvision.datasets.DTD, "_URL", f"http://127.0.0.1:{server.server_port}/dtd.tar.gz")
        monkeypatch.setattr(torchvision.datasets.DTD, "_MD5", hashlib.md5(served.content).hexdigest())
        yield served
        server.shutdown()


def test_copies_are_read_and_nothing_is_written_to_them(copies: Path) -> None:
    before = sorted(copies.rglob("*"))

    cifar, caltech, pets, textures = read_sets(copies, download=False)

    assert sorted(copies.rglob("*")) == before
    assert Counter(caltech.classes) == dict.fromkeys(CALTECH, PER_CLASS)
    assert set(pets.classes) == {"Beagle, dog", "Pug, dog", "Bombay, cat", "Siamese, cat"}
    assert Counter(textures.classes) == dict.fromkeys(TEXTURES, PER_CLASS)
    assert (len(cifar.classes), cifar.classes[1]) == (100, "aquarium fish")
    assert [each.open(0).size for each in (cifar, caltech, pets, textures)] == [(32, 32), *3 * [(96, 96)]]


def test_all_missing_sets_are_named_with_their_pages(copies: Path) -> None:
    shutil.rmtree(copies / "dtd")
    shutil.rmtree(copies / "caltech101")
    with pytest.raises(SetError) as raised:
        read_sets(copies, download=False)
    for name in ("dtd", "caltech101"):
        assert f"  {SETS[name].folder}: {SETS[name].title}, {SETS[name].page}" in str(raised.value)
    assert "CIFAR" not in str(raised.value)
    assert not (copies / "caltech101").exists()  # torchvision's class makes the folder that it does not find


@pytest.mark.parametrize(
    ("damaged", "title"), [("cifar-100-python/test", "CIFAR-100"), ("dtd/dtd/labels/test1.txt", "textures")]
)
def test_a_damaged_copy_is_named(copies: Path, damaged: str, title: str) -> None:
    (copies / damaged).write_bytes(b"\x80\x05damaged")
    with pytest.raises(SetError, match=rf"is not {title}.*as torchvision unpacks it"):
        read_sets(copies, download=False)


def test_a_set_is_downloaded_once(copies: Path, archive: Archive) -> None:
    shutil.rmtree(copies / "dtd")
    requests = []
    for _ in range(2):
        assert Counter(read_sets(copies, download=True)[3].classes) == dict.fromkeys(TEXTURES, PER_CLASS)
        requests.append(archive.requests)
    assert 0 < requests[0] == requests[1]
    assert [path.name for path in (copies / "dtd").iterdir()] == ["dtd"]  # without the archive
    assert not list(copies.glob("*.partial"))


def test_an_interrupted_download_goes_on(copies: Path, archive: Archive) -> None:
    shutil.rmtree(copies / "dtd")
    archive.broken = True
    with pytest.raises(SetError, match=r"textures \(DTD\) could not be downloaded.*Run this again to go on"):
        read_sets(copies, download=True)
    assert not (copies / "dtd").exists()
    with pytest.raises(SetError, match="lacks these folders"):
        read_sets(copies, download=False)
    archive.broken = False
    assert len(read_sets(copies, download=True)[3].classes) == PER_CLASS * len(TEXTURES)


def test_what_was_unpacked_in_part_is_unpacked_again_and_the_archive_not_downloaded(
    copies: Path, archive: Archive
) -> None:
    shutil.rmtree(copies / "dtd")
    partial = copies / "dtd.partial" / "dtd"
    (partial / "dtd" / "images").mkdir(parents=True)  # torchvision would take this for the whole set
    (partial / "dtd.tar.gz").write_bytes(archive.content)
    assert len(read_sets(copies, download=True)[3].classes) == PER_CLASS * len(TEXTURES)
    assert archive.requests == 0


def test_a_machine_without_a_network_is_told_where_the_set_is(
    copies: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copies / "dtd")
    monkeypatch.setattr(torchvision.datasets.DTD, "_URL", "http://127.0.0.1:9/dtd.tar.gz")  # nobody listens there
    monkeypatch.setattr("sys.argv", ["public_sets", "--data", str(copies)])
    assert public_sets.main() == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("public_sets: textures (DTD) could not be downloaded: ")
    assert "refused" in said
    assert f"unpack it from {SETS['dtd'].page} to FOLDER/dtd on another computer and give DATA=FOLDER" in said


def test_a_disk_that_is_too_small_is_told_before_the_download(
    copies: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(copies / "dtd")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=SETS["dtd"].megabytes * 1_000_000 - 1))
    with pytest.raises(SetError, match=r"needs 1,300 MB on disk, and .* has 1,299 MB left"):
        read_sets(copies, download=True)
    assert archive.requests == 0


def test_a_disk_that_fills_up_is_told(copies: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    shutil.rmtree(copies / "dtd")
    monkeypatch.setattr("torchvision.datasets.dtd.download_and_extract_archive", full)
    with pytest.raises(SetError, match=r"The disk of .* is full"):
        read_sets(copies, download=True)
