"""The command ``python -m local``: starts the functions and the gateway, says where they are, and ends them."""

import argparse
import asyncio
import errno
import ipaddress
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from . import gateway, stack
from .assemble import assemble
from .process import Process, StartError
from .protocol import listening

PROJECT = Path(__file__).parent.parent
# An address that stands for all of this computer's, and the one of them that this computer itself calls.
_OWN = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_NOT_AN_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_HINTS = {"index": "open it in a browser", "clip": "curl --data-binary @photo.jpg {url}"}


class Stopped(Exception):
    """Ctrl-C, or a signal to end."""


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="Runs the functions and a gateway here.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="the gateway's port (default: %(default)s)")
    parser.add_argument("--model", type=Path, metavar="DIR", help="serve this exported model, not the bundled one")
    parser.add_argument("-f", "--yaml", type=Path, default=PROJECT / "stack.yml", help="the stack file")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="gateway | %(message)s")
    # It logs malformed requests at length, which are answered anyway. What fails here is logged by the gateway.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # the functions log what they are asked
    try:
        return asyncio.run(_run(stack.read(arguments.yaml), arguments))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


async def _run(functions: Sequence[stack.Function], arguments: argparse.Namespace) -> int:
    # Before there is anything that has to be removed or ended.
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with (
        _listen(arguments.host, arguments.port) as listener,
        tempfile.TemporaryDirectory(prefix="functions-") as build,
    ):
        return await _serve(functions, listener, Path(build), arguments.model, stop)


def _listen(host: str, port: int) -> socket.socket:
    elsewhere = ValueError(f"{host} is not an address of this computer; 0.0.0.0 listens on all of them.")
    try:
        families = {family for family, *_ in socket.getaddrinfo(host, None)}
        if socket.AF_INET in families:
            return socket.create_server((host, port))
        every = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=every)
    except OverflowError:
        raise ValueError(f"{port} is not a port: choose one from 1024 to 65535.") from None
    except (UnicodeError, socket.gaierror):
        raise elsewhere from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            other = f"choose another one with --port (make up PORT={port + 1})"
            raise ValueError(f"Port {port} is in use: {other}.") from None
        if error.errno in _NOT_AN_ADDRESS:
            raise elsewhere from None
        raise


async def _serve(
    functions: Sequence[stack.Function], listener: socket.socket, build: Path, model: Path | None, stop: asyncio.Event
) -> int:
    host, port = listener.getsockname()[:2]
    own = _OWN.get(host, host)
    url = f"http://{f'[{own}]' if ':' in own else own}:{port}"
    reading_end, writing_end = os.pipe()
    processes = []
    for function in functions:
        folder = assemble(function, PROJECT / "template", build, model if function.has_model else None)
        processes.append(Process(function, folder, {"gateway_url": url}, say))

    app = _application({process.function.name: gateway.Route(process) for process in processes})
    status = 0
    try:
        async with listening(app, listener), asyncio.TaskGroup() as group:
            group.create_task(_until(stop))
            for process in processes:
                group.create_task(process.run(reading_end))
            group.create_task(_announce(processes, url, host))
    except* Stopped:
        pass
    except* StartError as failures:
        sys.stderr.write(f"{failures.exceptions[0]}\n")
        status = 1
    finally:
        os.close(reading_end)
        os.close(writing_end)
    return status


def _application(routes: dict[str, gateway.Route]) -> web.Application:
    proxy = gateway.Gateway(routes)
    app = web.Application(middlewares=[gateway.errors_as_json])
    app.on_response_prepare.append(gateway.add_headers)
    app.cleanup_ctx.append(proxy.session)
    for path, handler in {
        "/function/{name}": proxy.forward,
        "/function/{name}/{rest:.*}": proxy.forward,
        # Other paths have a route too, so that their errors are JSON, as those of `Expect` are.
        "/{rest:.*}": proxy.elsewhere,
    }.items():
        app.router.add_route("*", path, handler, expect_handler=gateway.meet_expectation)
    return app


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
    raise Stopped


async def _announce(processes: Sequence[Process], url: str, host: str) -> None:
    names = [process.function.name for process in processes]
    say(f"Starting {' and '.join(names)} ...")
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(process.wait_until_ready(session) for process in processes))
    if ipaddress.ip_address(host).is_loopback:
        say("Ready. This is for development: it listens on this computer only. Ctrl-C ends it.")
    else:
        say("Ready. This is for development: everybody in your network can use it, without a key. Ctrl-C ends it.")
        here = urlsplit(url).netloc.rpartition(":")[0]
        say(f"On a phone, this computer's address takes the place of {here} (hostname -I).")
    for name in names:
        address = f"{url}/function/{name}"
        say(f"  {address}  {_HINTS.get(name, '').format(url=address)}".rstrip())
