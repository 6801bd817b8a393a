"""index.py and server/loader.py: from the start of the process to the first answers, and its end."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import psutil
import pytest
import requests

from server.settings import Settings
from tests.launch import free_port, running, wait_for
from tests.template.function import HANDLER, SLOW, Start, assemble

SLOW_START = f"import time\ntime.sleep(2)\n{HANDLER}"


def test_the_first_requests_wait_for_a_slow_handler_and_are_answered(start: Start) -> None:
    with start(SLOW_START) as program, ThreadPoolExecutor(10) as clients:
        # As soon as the port is open: the imports have not even begun.
        answers = list(clients.map(lambda n: requests.post(f"{program.url}/echo", data=str(n)), range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert [answer.text for answer in answers] == [str(n) for n in range(10)]


def test_ready_answers_at_once_and_changes_when_the_handler_is_there(start: Start) -> None:
    with start(SLOW_START) as program:
        asked = time.monotonic()
        early = requests.get(f"{program.url}/ready")
        assert time.monotonic() - asked < 1.9  # the handler takes 2 s
        assert early.status_code == 503
        assert early.json()["error"]["code"] == "not_ready"
        assert "Retry-After" in early.headers
        wait_for(lambda: requests.get(f"{program.url}/ready").status_code == 200, "never ready")
        assert requests.get(f"{program.url}/ready").json() == {"ready": True}


def test_a_request_that_has_waited_long_enough_gets_a_retry_after(start: Start) -> None:
    with start("import time\ntime.sleep(60)", handler_wait="1s") as program:
        answer = requests.post(program.url, data=b"x")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "not_ready"
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize("handler", ["import nowhere_to_be_found", "raise SystemExit(1)", "handle: wrong", "x = 1"])
def test_a_handler_that_cannot_be_imported_is_reported_without_detail_and_ends_the_process(
    start: Start, tmp_path: Path, handler: str
) -> None:
    slow = f"import time\ntime.sleep(0.5)\n{handler}"
    with start(slow, suppress_lock="true", TMPDIR=str(tmp_path)) as program:
        answer = requests.post(program.url, data=b"x")
        status = program.process.wait(10)
        lines = [json.loads(line) for line in program.output().splitlines()]
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "not_ready"
    assert "Traceback" not in answer.text
    assert "nowhere" not in answer.text
    assert status == 1
    assert not (tmp_path / ".lock").exists()
    assert any("cannot be imported" in line["message"] and "traceback" in line for line in lines if "message" in line)


def test_what_makes_an_import_fail_is_in_the_message(start: Start) -> None:
    with start("max_image_bytes = int('20 apples')") as program:
        assert program.process.wait(10) == 1
        last = json.loads(program.output().splitlines()[0])
    assert last["level"] == "critical"
    assert "ValueError: invalid literal for int() with base 10: '20 apples'" in last["message"]


def test_a_handler_that_fails_late_removes_the_lock(start: Start, tmp_path: Path) -> None:
    with start("import time\ntime.sleep(5)\nnowhere", suppress_lock="true", TMPDIR=str(tmp_path)) as program:
        wait_for((tmp_path / ".lock").exists, program.output)
        assert program.process.wait(10) == 1
        assert not (tmp_path / ".lock").exists()


def test_sigterm_interrupts_nothing_and_sigint_ends(start: Start) -> None:
    with start() as program, ThreadPoolExecutor(1) as clients:
        requests.get(program.url)
        slow = clients.submit(requests.get, f"{program.url}/slow?seconds=1")
        wait_for(lambda: SLOW in program.output(), program.output)
        program.process.send_signal(signal.SIGTERM)
        assert slow.result().text == "late"
        assert requests.post(f"{program.url}/echo", data=b"after").content == b"after"
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(10) == 0


@pytest.mark.parametrize(("handler", "earliest", "latest"), [(HANDLER, 0, 3), ("import time\ntime.sleep(60)", 3, 10)])
def test_the_lock_is_written_when_the_handler_is_loaded_or_after_some_seconds(
    start: Start, tmp_path: Path, handler: str, earliest: float, latest: float
) -> None:
    with start(handler, suppress_lock="true", TMPDIR=str(tmp_path)) as program:
        begun = time.monotonic()
        wait_for((tmp_path / ".lock").exists, program.output)
        assert earliest < time.monotonic() - begun < latest


def test_no_lock_without_a_watchdog(start: Start, tmp_path: Path) -> None:
    with start(TMPDIR=str(tmp_path)) as program:
        assert requests.post(f"{program.url}/echo", data=b"x").ok
        assert not (tmp_path / ".lock").exists()


def test_serves_where_nothing_can_be_written(start: Start) -> None:
    body = os.urandom(3_000_000)
    with start(TMPDIR="/dev/null", suppress_lock="true") as program:
        assert requests.post(f"{program.url}/echo", data=body).content == body
        wait_for(lambda: "Cannot write /dev/null/.lock" in program.output(), program.output)


def test_a_port_in_use_is_one_clear_line(start: Start, tmp_path: Path) -> None:
    with start() as program:
        second = subprocess.run(
            [sys.executable, "index.py"],
            cwd=tmp_path / "function",
            env={**os.environ, "upstream_url": program.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 1
    assert program.url in second.stderr
    assert second.stderr.count("\n") == 1


WATCHDOG = """
import os, signal, socket, subprocess, sys

port = int(os.environ["upstream_url"].rpartition(":")[2])
early = socket.create_connection(("127.0.0.1", port))
early.sendall(b"POST /echo HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 5\\r\\nConnection: close\\r\\n\\r\\nearly")
function = subprocess.Popen([sys.executable, "index.py"], close_fds=False)
answer = b""
while block := early.recv(65536):
    answer += block
print("answered:", answer[-5:].decode(), flush=True)
function.wait()
"""


def test_the_port_is_open_before_there_is_a_watchdog(tmp_path: Path) -> None:
    folder = assemble(tmp_path / "function", HANDLER)
    (folder / "watchdog").write_text(f"#!{sys.executable}\n{WATCHDOG}", encoding="utf-8")
    (folder / "watchdog").chmod(0o755)
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-S", "listen.py", "./watchdog"]
    environment = {**os.environ, "upstream_url": url}
    with running(command, url, lambda program: "answered: early" in program.output(), folder, environment) as program:
        became = Path(f"/proc/{program.process.pid}/cmdline").read_bytes()
        assert b"watchdog" in became
        assert b"listen.py" not in became
        listed = '{"body": __import__("subprocess").run(["ls", "-l", "/proc/self/fd"], close_fds=False, %s).stdout}'
        files = requests.post(f"{url}/result", data=listed % "capture_output=True, text=True").text
        assert "pipe:" in files
        assert "socket:" not in files  # what a handler starts does not keep the port
        psutil.Process(program.process.pid).children()[0].send_signal(signal.SIGINT)
        assert program.process.wait(10) == 0


def test_the_watchdog_ignores_no_signals(tmp_path: Path) -> None:
    """Python ignores some, and a program inherits what is ignored."""
    folder = assemble(tmp_path / "function", HANDLER)
    command = [sys.executable, "-S", "listen.py", "/bin/cat", "/proc/self/status"]
    environment = {**os.environ, "upstream_url": f"http://127.0.0.1:{free_port()}"}
    status = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout
    ignored = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigIgn"))
    assert not ignored >> (signal.SIGPIPE - 1) & 1
    assert not ignored >> (signal.SIGXFSZ - 1) & 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:many", "http://127.0.0.1:99999", "http://192.0.2.1:5000"])
@pytest.mark.parametrize("command", [["index.py"], ["-S", "listen.py", "watchdog"]])
def test_an_address_that_cannot_be_listened_at_is_one_clear_line(tmp_path: Path, command: list[str], url: str) -> None:
    folder = assemble(tmp_path / "function", HANDLER)
    environment = {**os.environ, "upstream_url": url}
    ended = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Cannot listen at {url}: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(("text", "size"), [("2000", 2000), ("2kB", 2000), ("2KiB", 2048), ("2Ki", 2048), ("2k", 2048)])
def test_a_size_has_a_unit_or_none(start: Start, text: str, size: int) -> None:
    with start(max_body_bytes=text) as program:
        assert requests.post(f"{program.url}/echo", data=bytes(size)).ok
        assert requests.post(f"{program.url}/echo", data=bytes(size + 1)).status_code == 413


@pytest.mark.parametrize("text", ["0.5", "0.5s", "500ms", "0.25s250ms"])
def test_a_duration_has_units_or_none(start: Start, text: str) -> None:
    with start("import time\ntime.sleep(60)", handler_wait=text) as program:
        begun = time.monotonic()
        assert requests.post(program.url, data=b"x").status_code == 503
        assert 0.4 < time.monotonic() - begun < 8


NAMES = [field.name for field in fields(Settings)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["many", "0", "-5", "nan", "inf", "20 apples", "5 m s", "1e9x", "9" * 400 + "MB"])
def test_a_setting_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be "):
        Settings.from_environment({name: value})


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_that_makes_no_sense_ends_the_process_and_is_named(tmp_path: Path, name: str) -> None:
    folder = assemble(tmp_path / "function", HANDLER)
    environment = {**os.environ, "upstream_url": f"http://127.0.0.1:{free_port()}", name: "many"}
    ended = subprocess.run(
        [sys.executable, "index.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    line = json.loads(ended.stdout)
    assert name in line["message"]
    assert "'many'" in line["message"]
    assert ended.stderr == ""
