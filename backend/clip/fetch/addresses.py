"""A host to the addresses that may be connected to. Names must lead to the public internet.

A name is looked up once for a fetch, and what was checked is what is connected to: a name that has another address a
moment later (DNS rebinding) gains nothing.
"""

import ipaddress
import queue
import socket
import threading

from ..errors import UrlNotAllowed
from .urls import Origin

# Global unicast (RFC 4291). It leaves out loopback, link-local, unique and site local addresses, multicast, and those
# that hold an IPv4 address in the low bits: mapped, compatible, translated.
_GLOBAL = ipaddress.IPv6Network("2000::/3")
# By which a network without IPv4 reaches it (RFC 6052): the last 32 bits are the address.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What counts as global, and leads to an IPv4 address that would have to be checked, or to a cloud's own services.
_NEVER_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")))
_NEVER_V4 = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "240.0.0.0/4")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        return address in _GLOBAL and address.is_global and not any(address in network for network in _NEVER_V6)
    return address.is_global and not address.is_multicast and not any(address in network for network in _NEVER_V4)


def addresses(origin: Origin, seconds: float) -> list[Address]:
    """Where to connect to, best first.

    An address that is itself on the list of allowed origins was chosen by whoever runs the service, who may well mean a
    private one. Who answers for a name may be somebody else.

    Raises:
        UrlNotAllowed: the name has an address that is not public.
        OSError: the name has no address, or none within that time.
    """
    if origin.address is not None:
        return [origin.address]
    found = _look_up(origin.host, seconds)
    if not all(map(is_public, found)):
        raise UrlNotAllowed(f"{origin.host} is not in the public internet, and by name nothing else is fetched from.")
    return found


def _look_up(name: str, seconds: float) -> list[Address]:
    """The addresses of a name. A resolver cannot be interrupted, and may take longer than a request has."""
    answer: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            # With a dot at its end a name is whole: no search list is tried.
            rows = socket.getaddrinfo(f"{name}.", None, type=socket.SOCK_STREAM)
            answer.put([ipaddress.ip_address(str(row[4][0])) for row in rows])
        except (OSError, ValueError) as error:  # ValueError: a scope, which no public address has
            answer.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise found
    return found
