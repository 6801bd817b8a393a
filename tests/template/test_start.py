"""index.py and server/loader.py: from the start of the process to the first answers, and its end."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.launch import free_port, wait_for
from tests.template.conftest import HANDLER, Start, assemble

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


def test_a_request_that_has_waited_long_enough_is_told_to_come_back(start: Start) -> None:
    with start("import time\ntime.sleep(60)", handler_wait="1s") as program:
        answer = requests.post(program.url, data=b"x")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "not_ready"
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize("handler", ["import nowhere_to_be_found", "raise SystemExit(1)", "handle: wrong", "x = 1"])
def test_a_handler_that_cannot_be_imported_is_logged_and_said_without_detail(start: Start, handler: str) -> None:
    with start(handler) as program:
        answer = requests.post(program.url, data=b"x")
        lines = [json.loads(line) for line in program.output().splitlines()]
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "not_ready"
    assert "Retry-After" not in answer.headers  # nothing will change
    assert "Traceback" not in answer.text
    assert "nowhere" not in answer.text
    assert any(line["level"] == "error" and "Traceback" in line.get("traceback", "") for line in lines)


def test_sigterm_interrupts_nothing_and_sigint_ends(start: Start) -> None:
    with start() as program, ThreadPoolExecutor(1) as clients:
        requests.get(program.url)
        slow = clients.submit(requests.get, f"{program.url}/slow?seconds=1")
        time.sleep(0.3)
        program.process.send_signal(signal.SIGTERM)
        assert slow.result().text == "late"
        assert requests.post(f"{program.url}/echo", data=b"after").content == b"after"
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(10) == 0


def test_the_lock_is_written_when_the_port_is_open_and_only_where_the_watchdog_leaves_it(
    start: Start, tmp_path: Path
) -> None:
    with start("import time\ntime.sleep(60)", suppress_lock="true", TMPDIR=str(tmp_path)) as program:
        wait_for((tmp_path / ".lock").exists, program.output)


def test_no_lock_without_a_watchdog(start: Start, tmp_path: Path) -> None:
    with start(TMPDIR=str(tmp_path)) as program:
        assert requests.post(f"{program.url}/echo", data=b"x").ok
        assert not (tmp_path / ".lock").exists()


def test_serves_where_nothing_can_be_written(start: Start) -> None:
    body = os.urandom(3_000_000)
    with start(TMPDIR="/dev/null", suppress_lock="true") as program:
        assert requests.post(f"{program.url}/echo", data=body).content == body
        assert "Cannot write /dev/null/.lock" in program.output()


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


@pytest.mark.parametrize("variable", ["max_body_bytes", "server_threads", "handler_wait"])
@pytest.mark.parametrize("value", ["many", "0", "-5", "nan", "inf"])
def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path, variable: str, value: str) -> None:
    folder = assemble(tmp_path / "function", HANDLER)
    environment = {**os.environ, "upstream_url": f"http://127.0.0.1:{free_port()}", variable: value}
    ended = subprocess.run(
        [sys.executable, "index.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    line = json.loads(ended.stdout)
    assert variable in line["message"]
    assert value in line["message"]
    assert ended.stderr == ""
