"""The HTTP session of the calls to `clip`: what it keeps, and what it does not."""

import logging
import socket
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

# As many connections as the watchdog lets requests in.
DEFAULT_CONNECTIONS = "32"
# What the kernel holds of a photo on its way counts as the container's memory; by default up to 4 MB a connection.
_SEND_BUFFER = 131072

# Its warnings quote addresses, and in these stand the labels that a caller asked for.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        buffer = (socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        super().init_poolmanager(*arguments, **options, socket_options=[*HTTPConnection.default_socket_options, buffer])


def session(connections: int) -> requests.Session:
    """A session that keeps so many connections (0: any number) and no cookies, and goes through no proxy."""
    session = requests.Session()
    session.trust_env = False  # a proxy named in the environment is not for calls inside the cluster
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=connections))
    return session
