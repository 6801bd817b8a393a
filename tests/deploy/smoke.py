"""Runs built images as ``stack.yml`` deploys them, with the watchdog that is in them, and stops them under load.

    python -m tests.deploy.smoke index=IMAGE clip=IMAGE

Needs Linux, docker or podman (DOCKER=podman), and only what ``make up`` installs.
"""

import argparse
import io
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pillow_heif
import requests
from PIL import Image

from local import stack

PROJECT = Path(__file__).parent.parent.parent
# A picture with colours and edges. What it shows does not matter here.
PHOTO = (PROJECT / "docs" / "screenshots" / "result.png").read_bytes()
DOCKER = os.environ.get("DOCKER", "docker")
CLIENTS, LOADED_FOR = 8, 3.0
RESET = "reset"
# Seconds for an answer, for a container to be ready, and for one to be stopped, as Kubernetes has it.
TIMEOUT, GRACE_PERIOD = 60.0, 30


class Wrong(Exception):
    """An image does not do what it should."""


@dataclass(frozen=True)
class Container:
    """A running function: its name, its address, and that of the host, as it sees it."""

    name: str
    url: str
    host: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.smoke", description=__doc__)
    parser.add_argument("image", nargs=2, help="FUNCTION=IMAGE, for index and for clip")
    images = dict(image.split("=", 1) for image in parser.parse_args().image)
    functions = {function.name: function for function in stack.read(PROJECT / "stack.yml", {})}
    try:
        with (
            container(functions["clip"], images["clip"], {}) as clip,
            gateway(clip) as url,
            container(functions["index"], images["index"], {"gateway_url": url}) as index,
        ):
            check_page(index)
            for function in (clip, index):
                check_photo(function, PHOTO)
            check_photo(clip, as_heic(PHOTO))
            for function in (index, clip):
                check_stop(function)
    except (Wrong, KeyError, requests.RequestException, subprocess.CalledProcessError) as error:
        print(f"smoke: {error!r}", file=sys.stderr)
        return 1
    return 0


def run(*command: str) -> str:
    return subprocess.run([DOCKER, *command], check=True, text=True, stdout=subprocess.PIPE).stdout


@contextmanager
def container(function: stack.Function, image: str, environment: Mapping[str, str]) -> Iterator[Container]:
    """Runs a function as an unprivileged user, read-only, with the memory limit and environment of ``stack.yml``."""
    name = f"smoke-{function.name}-{os.getpid()}"
    options = ["--name", name, "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"]
    options += ["--memory", function.definition["limits"]["memory"].replace("Mi", "m")]
    for key, value in {**function.environment, **environment}.items():
        options += ["--env", f"{key}={value}"]
    started = time.monotonic()
    run("run", "--detach", *options, image)
    try:
        networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}"
        address, host = run("inspect", "--format", networks, name).split()
        running = Container(name, f"http://{address}:8080/", host)
        while not is_ready(running):
            if time.monotonic() - started > TIMEOUT:
                raise Wrong(f"{name} is not ready after {TIMEOUT:g} s.")
            time.sleep(0.1)
        print(f"{function.name}: ready {time.monotonic() - started:.1f} s after the start")
        yield running
    except BaseException:
        subprocess.run([DOCKER, "logs", name], check=False, stdout=sys.stderr)
        raise
    finally:
        run("rm", "--force", name)


def is_ready(function: Container) -> bool:
    try:
        return requests.get(f"{function.url}_/ready", timeout=TIMEOUT).status_code == 200
    except requests.ConnectionError:
        return False


@contextmanager
def gateway(clip: Container) -> Iterator[str]:
    """The way from ``index`` to ``clip``, which in a cluster leads over the gateway; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = requests.post(clip.url, body, timeout=TIMEOUT)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_arguments: object) -> None:
            """The containers' logs are enough."""

    with ThreadingHTTPServer((clip.host, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{clip.host}:{server.server_port}"
        server.shutdown()


def check_page(index: Container) -> None:
    page = requests.get(index.url, timeout=TIMEOUT)
    if page.status_code != 200 or "<html" not in page.text:
        raise Wrong(f"index has no page: {page.status_code} {page.text[:200]}")


def as_heic(photo: bytes) -> bytes:
    """The same photo as phones write it, for which the image has a decoder and no encoder."""
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(photo)).convert("RGB")).save(file)
    return file.getvalue()


def check_photo(function: Container, photo: bytes) -> None:
    answer = requests.post(function.url, photo, timeout=TIMEOUT)
    if answer.status_code != 200 or len(answer.json()["predictions"]) != 5:
        raise Wrong(f"{function.name} does not recognize a photo: {answer.status_code} {answer.text[:200]}")
    print(f"{function.name}: {answer.text.strip()}")


def check_stop(function: Container) -> None:
    """``docker stop`` while clients post photos: what was accepted is answered, and in time.

    When the watchdog closes its port, the kernel resets connections that nobody has accepted yet: one or two of many
    clients may see that. If what is being handled were cut off, nearly all of them would.
    """
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(post_until_refused, function) for _ in range(CLIENTS)]
        time.sleep(LOADED_FOR)
        stopping = time.monotonic()
        run("stop", "-t", str(GRACE_PERIOD), function.name)
        took = time.monotonic() - stopping
        outcomes: Counter[str] = sum((client.result() for client in clients), Counter())
    print(f"{function.name}: {dict(outcomes)}; stopped in {took:.1f} s")
    if outcomes.keys() - {"200", RESET} or outcomes[RESET] > CLIENTS // 4 or took >= GRACE_PERIOD:
        raise Wrong(f"{function.name} was stopped in {took:.1f} s with {dict(outcomes)}.")


def post_until_refused(function: Container) -> Counter[str]:
    """Posts a photo on a new connection again and again; how often which status, or which failure, came."""
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + LOADED_FOR + GRACE_PERIOD
    while time.monotonic() < end:
        try:
            outcomes[str(requests.post(function.url, PHOTO, timeout=TIMEOUT).status_code)] += 1
        except requests.ConnectionError as error:
            # Nothing listens any more, or the container's address is gone.
            if isinstance(error, requests.ConnectTimeout) or "Failed to establish a new connection" in str(error):
                break
            outcomes[RESET if "Connection reset by peer" in str(error) else repr(error)] += 1
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
