"""The HTTP session of the calls to ``clip``."""

import logging
import socket
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

# One connection for each request that the watchdog lets in at a time.
DEFAULT_CONNECTIONS = "32"
# A photo that the kernel has yet to send counts as the container's memory: by default up to 4 MB for each connection.
_SEND_BUFFER = 131072

# Its warnings quote addresses, which contain the labels that a caller has sent.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        buffer = (socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        super().init_poolmanager(*arguments, **options, socket_options=[*HTTPConnection.default_socket_options, buffer])


def session(connections: int) -> requests.Session:
    """A session that keeps up to so many connections open, keeps no cookies and uses no proxy.

    Args:
        connections: 0 for any number.
    """
    session = requests.Session()
    session.trust_env = False  # a proxy named in the environment is not for calls inside the cluster
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(pool_connections=1, pool_maxsize=connections))
    return session
