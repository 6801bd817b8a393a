"""Which addresses a name may lead to, and that it is asked once."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from backend.clip.errors import UrlNotAllowed
from backend.clip.fetch.addresses import addresses, is_public
from backend.clip.fetch.urls import Origin

NAMED = Origin("https", "photos.example.com", 443)
PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "64:ff9b::101:101"]
PRIVATE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    "168.63.129.16",
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "100::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::a00:1"),
    *("2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::5efe:7f00:1", "fec0::1", "ff02::1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_everything_else(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Makes names lead to these addresses, a list for each time that one is asked; returns what was asked for."""

    def lead(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(name: str, *_: Any, **__: Any) -> list[Any]:
            asked.append(name)
            return [(0, 0, 6, "", (address, 0)) for address in answers[min(len(asked), len(answers)) - 1]]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return lead


def test_a_name_leads_to_its_addresses(resolver: Callable[..., list[str]]) -> None:
    asked = resolver(PUBLIC)
    assert [str(address) for address in addresses(NAMED, 5)] == PUBLIC
    assert asked == ["photos.example.com."]  # whole, so that no search list adds to it


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_into_the_cluster_is_refused(address: str, resolver: Callable[..., list[str]]) -> None:
    resolver(["93.184.215.14", address])
    with pytest.raises(UrlNotAllowed, match="not in the public internet"):
        addresses(NAMED, 5)


def test_an_address_with_a_scope_is_none(resolver: Callable[..., list[str]]) -> None:
    resolver(["fe80::1%eth0"])
    with pytest.raises(UrlNotAllowed):
        addresses(NAMED, 5)


def test_an_address_that_was_named_is_taken_and_nobody_is_asked(resolver: Callable[..., list[str]]) -> None:
    asked = resolver([])
    assert addresses(Origin("http", "[::1]", 80), 5) == [ipaddress.ip_address("::1")]
    assert addresses(Origin("http", "10.0.0.5", 9000), 5) == [ipaddress.ip_address("10.0.0.5")]
    assert asked == []


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        answered.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    start = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            addresses(NAMED, 0.1)
        assert time.monotonic() - start < 15
    finally:
        answered.set()


def test_a_name_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(socket.gaierror):
        addresses(NAMED, 5)
