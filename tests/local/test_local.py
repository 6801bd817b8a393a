"""``python -m local``: the command, its processes, and how they end."""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from tests.launch import Running, free_port, local, run, running, wait_for
from tests.local.stacks import write_stack

WRONG = "functions: {a: {lang: python3, handler: ./a, image: a, environment: {exec_timeout: soon}}}"


def test_it_says_where_to_go_and_that_it_is_for_development(gateway: Running) -> None:
    said = [line for line in gateway.output().splitlines() if " | " not in line]
    assert said[0] == "Starting echo and caller ..."
    assert "development" in said[1]
    assert f"  {gateway.url}/function/echo" in said
    assert f"  {gateway.url}/function/caller" in said


def test_functions_run_in_the_environment_of_the_stack_file(gateway: Running) -> None:
    environment = requests.get(f"{gateway.url}/function/caller/environment").json()
    assert environment["gateway_url"] == gateway.url
    assert environment["upstream_url"].startswith("http://127.0.0.1:")
    assert "suppress_lock" not in environment


def test_functions_are_assembled_as_faas_cli_does(gateway: Running) -> None:
    files = requests.get(f"{gateway.url}/function/caller/files").json()
    assert {"index.py", "server/serve.py", "function/handler.py"} <= set(files)
    assert not any("tests" in file or "Dockerfile" in file for file in files)
    assert requests.get(f"{gateway.url}/function/caller/model").json() == "bundled"


def test_a_model_from_elsewhere(tmp_path: Path) -> None:
    with local("-f", str(write_stack(tmp_path)), "--model", str(tmp_path / "other")) as program:
        assert requests.get(f"{program.url}/function/caller/model").json() == "other"


def test_two_run_side_by_side(gateway: Running, tmp_path: Path) -> None:
    with local("-f", str(write_stack(tmp_path))) as second:
        assert requests.post(f"{second.url}/function/caller", data=b"second").content == b"second"
        assert requests.post(f"{gateway.url}/function/caller", data=b"first").content == b"first"


def test_a_function_that_dies_is_started_again(tmp_path: Path) -> None:
    with local("-f", str(write_stack(tmp_path))) as program:
        url = f"{program.url}/function/caller/pid"
        first = requests.get(url).text
        crashed = requests.get(f"{program.url}/function/caller/crash")
        assert crashed.status_code == 502
        assert crashed.json()["error"]["code"] == "bad_gateway"
        assert requests.post(f"{program.url}/function/echo/echo", data=b"x").content == b"x"
        wait_for(lambda: requests.get(url).ok, program.output)
        second = requests.get(url).text
        assert second != first
        assert "caller ended with status 7; it is started again in" in program.output()
        os.kill(int(second), signal.SIGKILL)
        wait_for(lambda: requests.get(url).ok and requests.get(url).text != second, program.output)
        assert "caller ended with status -9" in program.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_all_processes_end_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # SIGKILL leaves files behind
    with local("-f", str(write_stack(tmp_path))) as program:
        children = psutil.Process(program.process.pid).children(recursive=True)
        assert len(children) == 2
        program.process.send_signal(number)
        status = program.process.wait(20)
        _, alive = psutil.wait_procs(children, 10)
        assert alive == []
        assert status == (-9 if number == signal.SIGKILL else 0)
        assert "Traceback" not in program.output()


def test_a_port_in_use_is_one_clear_line(gateway: Running) -> None:
    port = gateway.url.rpartition(":")[2]
    ended = run("local", "--port", port)
    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} is in use: choose another one with --port (make up PORT={int(port) + 1}).\n"


def test_it_listens_elsewhere_with_a_word_of_warning(tmp_path: Path) -> None:
    with local("-f", str(write_stack(tmp_path)), "--host", "0.0.0.0") as program:
        assert "everybody in your network can use it, without a key" in program.output()
        port = program.url.rpartition(":")[2]
        # Another address than the one that the functions call: only a gateway on every address answers here.
        assert requests.get(f"http://127.0.0.2:{port}/function/caller/environment").status_code == 200
        assert requests.get(f"{program.url}/function/caller/environment").json()["gateway_url"] == program.url


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_a_host_that_is_another_is_one_clear_line(host: str) -> None:
    ended = run("local", "--port", str(free_port()), "--host", host)
    assert ended.returncode == 1
    assert ended.stderr == f"{host} is not an address of this computer; 0.0.0.0 listens on all of them.\n"


def _has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


@pytest.mark.skipif(not _has_ipv6(), reason="this computer has no IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_it_listens_at_ipv6(tmp_path: Path, host: str) -> None:
    with local("-f", str(write_stack(tmp_path)), "--host", host) as program:
        port = program.url.rpartition(":")[2]
        url = f"http://[::1]:{port}/function/caller"
        assert f"\n  {url}\n" in program.output()
        assert requests.post(url, data=b"through both").content == b"through both"
        assert ("everybody in your network" in program.output()) == (host == "::")
        with suppress(requests.ConnectionError):
            assert requests.post(f"{program.url}/function/caller", data=b"by IPv4").content == b"by IPv4"
            assert host == "::"


@pytest.mark.skipif(not _has_ipv6(), reason="this computer has no IPv6")
def test_a_port_in_use_at_ipv6_is_one_clear_line() -> None:
    port = free_port()
    with socket.create_server(("::1", port), family=socket.AF_INET6):
        ended = run("local", "--port", str(port), "--host", "::1")
    assert ended.stderr == f"Port {port} is in use: choose another one with --port (make up PORT={port + 1}).\n"


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_one_clear_line(port: str) -> None:
    ended = run("local", "--port", port)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert port in ended.stderr


@pytest.mark.parametrize("text", ["", "functions:", "functions: [a]", "functions: {a: {}}", "{", "\t", WRONG])
def test_a_file_that_is_no_stack_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.yml").write_text(text, encoding="utf-8")
    ended = run("local", "--port", str(free_port()), "-f", str(tmp_path / "stack.yml"))
    assert ended.returncode == 1
    assert str(tmp_path) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_missing_files_are_one_clear_line(tmp_path: Path) -> None:
    ended = run("local", "-f", str(tmp_path / "none.yml"))
    assert ended.returncode == 1
    assert "none.yml" in ended.stderr
    assert ended.stderr.count("\n") == 1
    stack = str(write_stack(tmp_path))
    ended = run("local", "--port", str(free_port()), "-f", stack, "--model", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == f"{tmp_path} is not an exported model: it has no model.json\n"


@pytest.mark.parametrize("handler", ["import nowhere_to_be_found", "import os\nos._exit(3)"])
def test_a_function_that_cannot_start_ends_it_with_a_message(tmp_path: Path, handler: str) -> None:
    ended = run("local", "--port", str(free_port()), "-f", str(write_stack(tmp_path, echo=handler)))
    assert ended.returncode == 1
    assert ended.stderr.startswith("echo ")
    assert ended.stderr.count("\n") == 1


STARTING = """
import time
print("being imported", flush=True)
time.sleep(1)
def handle(event, context): return {}
"""


def _imports(program: Running) -> bool:
    return "multidict" in Path(f"/proc/{program.process.pid}/maps").read_text()


def _says(text: str) -> Callable[[Running], bool]:
    return lambda program: text in program.output()


@pytest.mark.parametrize(
    "moment", [_imports, _says("Starting"), _says("caller | "), _says("echo | being imported"), _says("\nReady.")]
)
def test_ctrl_c_while_it_starts_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: Callable[[Running], bool]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    stack = write_stack(tmp_path, echo=STARTING)
    command = [sys.executable, "-m", "local", "--port", str(free_port()), "-f", str(stack)]
    with running(command, "", moment) as program:
        children = psutil.Process(program.process.pid).children(recursive=True)
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(20) in (0, -signal.SIGINT)
        assert psutil.wait_procs(children, 10)[1] == []
        assert "Traceback" not in program.output()
        assert [path.name for path in (tmp_path / "temporary").glob("functions-*")] == []


def test_no_function_logs_that_it_was_asked_whether_it_is_ready(tmp_path: Path) -> None:
    with local("-f", str(write_stack(tmp_path, echo=STARTING))) as program:
        assert "echo | being imported" in program.output()
        assert "/ready" not in program.output()


def test_processes_have_the_names_of_their_functions(gateway: Running) -> None:
    children = psutil.Process(gateway.process.pid).children()
    assert sorted(child.cmdline()[3] for child in children) == ["caller", "echo"]
    if sys.platform == "linux":
        assert sorted(child.name() for child in children) == ["caller", "echo"]


HAS_A_CHILD = """
import os, subprocess

def handle(event, context):
    if event.path == "/crash":
        print("the last words", flush=True)
        os._exit(7)
    if event.path == "/child":
        return {"body": str(subprocess.Popen(["sleep", "1000"], start_new_session=True).pid)}
    return {"body": str(os.getpid())}
"""


def test_a_function_that_dies_is_started_again_although_a_child_of_it_has_stopped(tmp_path: Path) -> None:
    with local("-f", str(write_stack(tmp_path, echo=HAS_A_CHILD))) as program:
        url = f"{program.url}/function/echo"
        child = psutil.Process(int(requests.get(f"{url}/child").text))
        try:
            child.suspend()
            first = requests.get(url).text
            requests.get(f"{url}/crash")
            wait_for(lambda: requests.get(url).ok, program.output)
            assert requests.get(url).text != first
            assert child.is_running()  # with the first one's output open
        finally:
            child.kill()
        assert "echo | the last words\n" in program.output()
        assert "echo ended with status 7; it is started again in" in program.output()


def test_what_a_function_logs_is_passed_on_with_its_name(gateway: Running) -> None:
    requests.get(f"{gateway.url}/function/echo/event", headers={"X-Call-Id": "logged"})
    wait_for(lambda: '"call_id": "logged"' in gateway.output(), gateway.output)
    line = next(line for line in gateway.output().splitlines() if '"call_id": "logged"' in line)
    name, _, text = line.partition(" | ")
    assert name == "echo"
    assert json.loads(text)["path"] == "/event"
