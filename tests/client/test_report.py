"""``--report``: one file that shows all photos by their words, from a disk, whatever they are called."""

import base64
import io
import os
import re
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from subprocess import run
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
import pytest
from lxml import html
from PIL import Image
from playwright.sync_api import Browser, expect

from photo_labels.report.thumbnails import MOST_BYTES, SIDE, thumbnail
from tests.client.command import ENVIRONMENT, label, results
from tests.client.fake_service import FakeService, answer
from tests.client.photos import picture
from tests.client.test_summary import unsure
from tests.frontend.axe import violations
from tests.launch import Running

SCRIPT = "<script>alert(1)</script>"
# Paths and words that break out of elements, attributes and addresses.
ALBUM = {
    "a.jpg": "dog",
    "2024/IMG_1.jpg": "dog",
    "<img src=x onerror=alert(1)>.jpg": SCRIPT,
    "a\" onload=alert(1) b='&quot;.jpg": "a\"b'c</section>",
    "javascript:alert(1)/%41 #?&amp;.jpg": "</style></title>",
    "c\n\x1b[2J.jpg": "nothing",
    "bad </script>.jpg": "bad",
    "Gro\u0308ße.jpg": "dog",  # as a Mac writes it
    os.fsdecode(b"\xff.jpg"): "dog",
}


def data_uri(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def album(service: FakeService, tmp_path: Path) -> Path:
    preview = data_uri(picture(1))

    def behave(request: BaseHTTPRequestHandler, photo: bytes) -> bool:
        word = photo.decode()
        said = {"predictions": [{"label": word, "score": 1.0}], "confidence": 0.9, "recognized": True}
        if word == "nothing":
            said = unsure(None)
        if "preview=1" in request.path:
            said["preview"] = preview
        service.answered[word] += 1
        if word == "bad":
            answer(request, 422, {"error": {"code": "corrupt_image", "message": f"No {SCRIPT}"}})
        else:
            answer(request, 200, said)
        return True

    service.behave = behave
    for name, word in ALBUM.items():
        (tmp_path / "album" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "album" / name).write_text(word)
    return tmp_path / "album"


def test_names_and_words_are_data(album: Path, service: FakeService, tmp_path: Path) -> None:
    report = tmp_path / "reports" / "r.html"
    report.parent.mkdir()
    ended = label(album, "--url", service.url, "--report", report)
    assert ended.returncode == 1  # bad.jpg
    assert not any("preview" in said for said in results(ended.stdout).values())
    page = html.fromstring(report.read_bytes())
    assert len(page.xpath("//script")) == 1
    assert len(page.xpath("//style")) == 1
    assert not page.xpath("//@onerror | //@onload | //*[name()='main']//script")
    assert [each.text_content() for each in page.xpath("//h2/span")] == [
        "dog",
        *sorted([SCRIPT, "a\"b'c</section>", "</style></title>"]),
        "Not recognized",
    ]
    files = set()
    for link in page.xpath("//ul[@class='photos']//a/@href"):
        address = urlsplit(urljoin(report.as_uri(), link))
        assert (address.scheme, address.query, address.fragment) == ("file", "", "")
        files.add(unquote(address.path, errors="surrogateescape"))
    assert files == {str(album / name) for name, word in ALBUM.items() if word != "bad"}
    assert all(Path(file).is_file() for file in files)
    [failed] = page.xpath("//ul[@class='failed']/li")
    assert failed.text_content() == f"bad </script>.jpg No {SCRIPT}"
    pictures = page.xpath("//ul[@class='photos']//img/@src")
    assert len(pictures) == len(files)
    with Image.open(io.BytesIO(base64.b64decode(pictures[0].partition(",")[2]))) as image:
        assert image.size == (SIDE, SIDE * 3 // 4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_a_network_and_filters(
    album: Path, service: FakeService, tmp_path: Path, browser: Browser, scheme: str
) -> None:
    label(album, "--url", service.url, "--report", tmp_path / "report.html")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844})  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: complaints.append(request.url) if "data:" not in request.url else None)
    page.goto((tmp_path / "report.html").as_uri())
    assert complaints == [(tmp_path / "report.html").as_uri()]
    photos = page.locator(".photos li")
    assert photos.count() == len(ALBUM) - 1
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == ""
    page.get_by_label("Filter").fill("2024 DOG")
    expect(page.get_by_role("status")).to_have_text(f"1 of {len(ALBUM)}")
    assert [each.get_attribute("title") for each in page.locator(".photos a:visible").all()] == ["2024/IMG_1.jpg"]
    page.get_by_label("Filter").fill("GRÖß")
    expect(page.get_by_role("status")).to_have_text(f"1 of {len(ALBUM)}")
    page.get_by_label("Filter").fill("")
    expect(photos).to_have_count(len(ALBUM) - 1)
    complaints.clear()
    asked = len(service.began)
    for attack in (
        f"fetch('{service.url}', {{method: 'POST', body: 'dog', mode: 'no-cors'}}).then(() => 'sent', () => 'refused')",
        f"new Promise(done => {{ const image = new Image(); image.onerror = () => done('refused'); "
        f"image.onload = () => done('sent'); image.src = '{service.url}'; }})",
        "new Promise(done => { document.addEventListener('securitypolicyviolation', () => done('refused')); "
        "const script = document.createElement('script'); script.textContent = 'alert(1)'; "
        "document.body.append(script) })",
    ):
        assert page.evaluate(attack) == "refused"
    assert len(service.began) == asked
    assert all("Content Security Policy" in each for each in complaints if not each.startswith("http"))
    context.close()


def test_a_continued_run_has_the_same_report(album: Path, service: FakeService, tmp_path: Path) -> None:
    arguments = (album, "--url", service.url, "--out", tmp_path / "labels.jsonl")
    label(*arguments)
    before = (tmp_path / "labels.jsonl").read_bytes()
    label(*arguments, "--report", tmp_path / "continued.html")
    assert (tmp_path / "labels.jsonl").read_bytes() == before
    label(album, "--url", service.url, "--report", tmp_path / "anew.html")
    assert (tmp_path / "continued.html").read_bytes() == (tmp_path / "anew.html").read_bytes()
    assert len(html.parse(tmp_path / "anew.html").xpath("//img")) == len(ALBUM) - 1
    asked = service.answered.total()
    label(*arguments)
    assert service.answered.total() == asked  # for pictures alone


@pytest.mark.parametrize("name", ["diary.html", "nowhere/report.html", "folder"])
def test_no_other_file_is_replaced(album: Path, service: FakeService, tmp_path: Path, name: str) -> None:
    (tmp_path / "diary.html").write_text("My diary")
    (tmp_path / "folder").mkdir()
    ended = label(album, "--url", service.url, "--report", tmp_path / name)
    assert (ended.returncode, service.answered.total()) == (2, 0)
    assert str(tmp_path / name) in ended.stderr
    assert (tmp_path / "diary.html").read_text() == "My diary"


def test_results_that_the_run_has_written_are_not_replaced(album: Path, service: FakeService, tmp_path: Path) -> None:
    both = tmp_path / "both.html"
    ended = label(album, "--url", service.url, "--report", both, "--out", both)
    assert (ended.returncode, f"{both} is not a report" in ended.stderr) == (2, True)
    assert len(results(both.read_text())) == len(ALBUM)


def test_a_full_disk_ends_it_with_a_message(album: Path, service: FakeService, tmp_path: Path) -> None:
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
        "from photo_labels.__main__ import main; sys.exit(main())"
    )
    arguments = [str(album), "--url", service.url, "--report", str(tmp_path / "report.html")]
    ended = run(
        [sys.executable, "-c", program, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert re.search(r"^The pictures of the report cannot be kept in .+: File too large\.$", ended.stderr, re.MULTILINE)
    assert not (tmp_path / "report.html").exists()


def test_without_pillow_it_says_what_to_install(album: Path, tmp_path: Path) -> None:
    program = "import sys; sys.modules['PIL'] = None; from photo_labels.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", program, str(album), "--report", str(tmp_path / "report.html")]
    ended = run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (2, "--report needs Pillow: pipx install 'photo-labels[report]'.\n")


def test_a_picture_of_each_format_is_in_it(application: Running, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    for name in ("a.jpg", "b.png", "c.tif", "d.webp"):
        picture(3).save(tmp_path / "album" / name)
    label(tmp_path / "album", "--url", f"{application.url}/function/clip", "--report", tmp_path / "report.html")
    pictures = html.parse(tmp_path / "report.html").xpath("//img/@src")
    assert len(pictures) == 4
    for each in pictures:
        with Image.open(io.BytesIO(base64.b64decode(each.partition(",")[2]))) as image:
            error = np.asarray(image, float) - np.asarray(picture(3).resize(image.size), float)
            assert np.abs(error).mean() < 12  # shades of 256


def test_no_picture_is_larger_than_it_may_be() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 2, (SIDE, SIDE, 3), np.uint8) * 255)
    small = thumbnail(data_uri(noise))
    assert small
    assert len(small.jpeg) <= MOST_BYTES


def test_what_else_is_in_a_preview_is_not_kept() -> None:
    file = io.BytesIO()
    picture(1).save(file, "JPEG", comment=b"x" * 60_000, icc_profile=b"x" * 20_000)
    small = thumbnail("data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode())
    assert small == thumbnail(data_uri(picture(1)))


@pytest.mark.parametrize(
    "preview",
    [
        None,
        7,
        "",
        "https://example.com/a.jpg",
        "data:image/jpeg;base64,***",
        "data:image/jpeg;base64,bm8=",
        data_uri(Image.new("RGB", (4000, 8))),
        data_uri(picture(1)).replace("jpeg", "svg+xml"),
    ],
)
def test_what_is_no_preview_is_no_picture(preview: object) -> None:
    assert thumbnail(preview) is None
