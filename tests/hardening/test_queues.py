"""Lines in which requests wait: no request keeps others waiting for long, and whoever cannot be served is told."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psutil
import pytest
import requests
from PIL import Image

from tests.functions import clip
from tests.hardening.bystander import PHOTO, Bystander, Flood, Seen, ask, posting, together
from tests.hardening.jpegs import scans
from tests.launch import PROJECT, Running, local, wait_for
from tests.pictures import encoded, photo

_PATIENCE = 60.0


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    """``clip`` with time enough for a machine that is busy with other programs; its output has no traceback."""
    with clip(request_timeout="50s") as program:
        yield program
        assert "Traceback" not in program.output()


def _enlarged(size: tuple[int, int]) -> Image.Image:
    """A photo of many pixels in little time: grain for each of them would take longer than all else here."""
    return photo((1000, 750)).resize(size, Image.Resampling.BICUBIC)


@cache
def phone_heic() -> bytes:
    """12 megapixels in 3 MB, which should take 0.5 s."""
    return encoded(_enlarged((4000, 3000)), "HEIF", quality=80, enc_params={"preset": "ultrafast"})


@cache
def large_jpeg() -> bytes:
    """48 megapixels in 3 MB, which should take 0.12 s."""
    return encoded(_enlarged((8000, 6000)), "JPEG", quality=80)


@pytest.mark.parametrize(
    ("side", "clients", "victim"),
    [(5900, 2, phone_heic), (2600, 12, large_jpeg)],
    ids=["slow lane", "medium lane"],
)
def test_a_false_claim_keeps_no_honest_photo_from_its_turn(
    side: int, clients: int, victim: object, service: Running
) -> None:
    """The liars' headers say less than the victim's, and they take all the time that they are given."""
    assert callable(victim)
    honest = victim()
    alone = ask(service.url, honest)
    liar = scans(side=side)
    seen: list[Seen] = []

    with Flood(clients, posting(service.url, [liar])) as flood, Bystander(service.url) as bystander:
        time.sleep(1)
        seen += [ask(service.url, honest) for _ in range(3)]
    print(f"alone {alone}, then {seen}\nbystander {bystander}\nliars {flood}")

    assert [one.verdict for one in seen] == ["ranked"] * 3
    assert set(flood.verdicts()) <= {"busy", "too_expensive"}
    bystander.require_unharmed()


_EVERYTHING = {"explain": "1", "preview": "1", "vocabulary": "everyday", "top_k": "1000"}


def _many(count: int = 64) -> list[tuple[str, tuple[str, bytes]]]:
    """So many GIFs of one pixel, no two alike."""
    return [("image", (f"{i}.gif", encoded(Image.new("RGB", (1, 1), (i, 7, 7)), "GIF"))) for i in range(count)]


def _ask_many(url: str, count: int = 64) -> Seen:
    start = time.monotonic()
    answer = requests.post(url, files=_many(count), params=_EVERYTHING, timeout=_PATIENCE)
    codes = Counter(one.get("error", {}).get("code", "ranked") for one in answer.json()["results"])
    assert sum(codes.values()) == count
    return Seen("+".join(sorted(codes)), time.monotonic() - start)


def test_many_images_in_a_request_go_behind_a_single_one() -> None:
    """Twelve clients send 64 images each, with all that can be asked for; the time of each request is kept."""
    with clip(request_timeout="6s") as program, Bystander(program.url) as bystander:
        seen = together([lambda: _ask_many(program.url)] * 12)
        print(f"{seen}\nbystander {bystander}")

        assert {part for one in seen for part in one.verdict.split("+")} <= {"ranked", "busy"}
        assert max(one.seconds for one in seen) < 6 + 1.5 * bystander.slack
    bystander.require_unharmed()


def _decoders(program: Running) -> psutil.Process:
    """The process that forks the decoders."""
    children = psutil.Process(program.process.pid).children(recursive=True)
    return next(child for child in children if child.ppid() == program.process.pid)


def test_a_fork_server_that_stands_still_is_replaced() -> None:
    with clip() as program:
        assert ask(program.url).verdict == "ranked"
        server = _decoders(program)
        server.send_signal(signal.SIGSTOP)
        with Bystander(program.url) as bystander:
            # It needs a decoder of its own, so a process has to be forked.
            large = ask(program.url, large_jpeg())
        assert large.verdict == "ranked"
        assert large.seconds < 15
        # Those whose decoders ended with the server were tried again.
        assert Counter(one.verdict for one in bystander.seen) == {"ranked": len(bystander.seen)}
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
        assert "the decoders' server is replaced: it has not answered for 2 s" in program.output()
        assert "Traceback" not in program.output()


def test_decoders_that_stand_still_are_replaced() -> None:
    with clip() as program:
        assert ask(program.url).verdict == "ranked"
        for decoder in _decoders(program).children():
            decoder.send_signal(signal.SIGSTOP)
        seen = together([lambda: ask(program.url, PHOTO + bytes(1 << 20))] * 4)
        assert {one.verdict for one in seen} <= {"ranked", "busy"}
        assert max(one.seconds for one in seen) < 20
        assert ask(program.url).verdict == "ranked"


def test_few_open_files() -> None:
    """As ``ulimit -n 64``: twenty at once are served or told to come back, and then all is as before."""
    with clip(wrapper=["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh"]) as program:
        assert psutil.Process(program.process.pid).rlimit(psutil.RLIMIT_NOFILE)[0] == 64
        seen = together([lambda: ask(program.url)] * 20)
        print(Counter(one.verdict for one in seen))
        assert {one.verdict for one in seen} <= {"ranked", "busy"}
        assert all(one.retry_after for one in seen if one.verdict == "busy")
        assert ask(program.url).verdict == "ranked"
        assert "Traceback" not in program.output()


def test_index_leaves_places_for_direct_callers(tmp_path: Path) -> None:
    """Thirty-two at a time through ``index``: it has at most three quarters of clip's places, and the others wait."""
    stack = (PROJECT / "stack.yml").read_text()
    for name in ("handler: ./frontend", "handler: ./backend"):
        stack = stack.replace(name, name.replace("./", f"{PROJECT}/"))
    (tmp_path / "stack.yml").write_text(stack.replace('max_inflight: "16"', 'max_inflight: "4"'))
    medium = encoded(photo((1600, 1200)), "PNG")
    with local("--yaml", str(tmp_path / "stack.yml")) as program:
        through, direct = program.url + "/function/index", program.url + "/function/clip"
        assert requests.get(through + "?describe", timeout=60).json()["limits"]["max_inflight"] == 4
        with Flood(24, posting(through, [medium])) as flood:
            wait_for(lambda: len(flood.seen) > 0, "nobody is answered")
            seen = [requests.post(direct, data=PHOTO, timeout=60).status_code for _ in range(20)]
            page = requests.get(through, headers={"Accept": "text/html"}, timeout=10)
        print(Counter(seen), flood)

    assert Counter(seen) == {200: 20}
    assert page.status_code == 200
    assert set(flood.verdicts()) <= {"ranked", "busy"}
    assert flood.verdicts()["ranked"] > 0
