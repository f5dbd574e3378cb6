import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from service.errors import StartError
from service.server.listening import bound, families
from tests.service.processes import has_ipv6

SETTING = "MFN_HTTP_PORT"
# Containers may be without.
NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")


@contextlib.contextmanager
def listening(host: str) -> Iterator[tuple[int, str]]:
    """Listens on a free port of a host. Yields port and families."""
    with bound(host, 0, SETTING) as listeners:
        (port,) = {listener.getsockname()[1] for listener in listeners}
        for listener in listeners:
            listener.listen()
        yield port, families(listeners)


def reachable(port: int) -> list[str]:
    """The addresses of this machine on which somebody listens on a port."""
    found = []
    for address in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((address, port), 5):
            found.append(address)
    return found


@NEEDS_IPV6
@pytest.mark.parametrize(
    ("host", "addresses", "named"),
    [
        ("::", ["127.0.0.1", "::1"], "IPv4 and IPv6"),
        ("localhost", ["127.0.0.1", "::1"], "IPv4 and IPv6"),
        ("0.0.0.0", ["127.0.0.1"], "IPv4"),
        ("127.0.0.1", ["127.0.0.1"], "IPv4"),
        ("::1", ["::1"], "IPv6"),
    ],
)
def test_each_host_is_reached_at_its_addresses_with_one_port(host: str, addresses: list[str], named: str) -> None:
    with listening(host) as (port, over):
        assert reachable(port) == addresses
        assert over == named
    assert reachable(port) == []


@pytest.mark.parametrize("host", ["::", "localhost"])
@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_a_machine_without_ipv6_is_served_over_ipv4(host: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Without(socket.socket):
        def __init__(self, family: int = -1, *more: Any) -> None:
            if family == socket.AF_INET6 and number == errno.EAFNOSUPPORT:
                raise OSError(number, "Address family not supported by protocol")
            super().__init__(family, *more)

        def bind(self, address: Any) -> None:
            if self.family == socket.AF_INET6:
                raise OSError(number, "Cannot assign requested address")
            super().bind(address)

    with monkeypatch.context() as machine:
        machine.setattr(socket, "socket", Without)
        with listening(host) as (port, over):
            assert over == "IPv4"
            machine.undo()
            assert reachable(port) == ["127.0.0.1"]
        machine.setattr(socket, "socket", Without)
        with pytest.raises(StartError, match="Set MFN_HOST"), bound("::1", 0, SETTING):
            pass


@NEEDS_IPV6
@pytest.mark.parametrize("taken", ["127.0.0.1", "0.0.0.0", "::1"])
@pytest.mark.parametrize("host", ["::", "localhost"])
def test_a_port_that_is_taken_on_one_address_is_taken(host: str, taken: str) -> None:
    with listening(taken) as (port, _):
        words = rf"{host} port {port}: Address already in use.*Set MFN_HOST or MFN_HTTP_PORT"
        with pytest.raises(StartError, match=words), bound(host, port, SETTING):
            pass


def test_small_writes_are_sent_at_once() -> None:
    """An answer is two writes; with Nagle's algorithm the second would wait 40 ms for the first's acknowledgement."""
    for host in ("127.0.0.1", "::"):
        with bound(host, 0, SETTING) as (listener,):
            listener.listen()
            with socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
                accepted, _ = listener.accept()
                with accepted:
                    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])  # nobody's: RFC 5737 and 3849
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    words = rf"{host} port 8000: .*\. Set MFN_HOST or MFN_HTTP_PORT"
    with pytest.raises(StartError, match=words), bound(host, 8000, SETTING):
        pass
