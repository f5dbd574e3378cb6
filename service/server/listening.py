"""Sockets to listen on: for the addresses of a host, of IPv4 and IPv6, with the same port."""

import contextlib
import errno
import socket
from collections.abc import Iterator, Sequence
from typing import Final

from service.errors import StartError

EVERY_ADDRESS: Final = "::"
EVERY_IPV4_ADDRESS: Final = "0.0.0.0"
NO_IPV6: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)  # of a machine, or a container, without it


@contextlib.contextmanager
def bound(host: str, port: int, setting: str) -> Iterator[list[socket.socket]]:
    """Sockets that do not listen yet, so that no client connects before the server can answer; closed at the end.

    host: an address; :: for every address of this machine, localhost for its own two (RFC 6761, section 6.3), in both
    cases of IPv4 alone where there is no IPv6. port: 0 takes a free one. setting: name of the port's setting.
    Raises StartError where an address is in use or not of this machine.
    """
    with contextlib.ExitStack() as stack:
        try:
            listeners = _bind(host, port)
        except OSError as error:
            raise port_problem(host, port, setting, error) from error
        for listener in listeners:
            stack.enter_context(listener)
        yield listeners


def families(listeners: Sequence[socket.socket]) -> str:
    """The families of addresses that are listened on, for people."""
    ipv6 = any(listener.family is socket.AF_INET6 for listener in listeners)
    ipv4 = any(
        listener.family is socket.AF_INET or listener.getsockname()[0] == EVERY_ADDRESS for listener in listeners
    )
    return " and ".join(["IPv4"] * ipv4 + ["IPv6"] * ipv6)


def port_problem(host: str, port: int, setting: str, error: OSError) -> StartError:
    """The error of an address that cannot be listened on."""
    return StartError(f"Cannot listen on {host} port {port}: {error.strerror or error}. Set MFN_HOST or {setting}.")


def _bind(host: str, port: int) -> list[socket.socket]:
    if host == EVERY_ADDRESS:
        return _bind_every_address(port)
    if host == "localhost":
        return _bind_localhost(port)
    return [_listener(socket.AF_INET6 if ":" in host else socket.AF_INET, host, port)]


def _bind_every_address(port: int) -> list[socket.socket]:
    try:
        return [_listener(socket.AF_INET6, EVERY_ADDRESS, port)]
    except OSError as error:
        if error.errno not in NO_IPV6:
            raise
    return [_listener(socket.AF_INET, EVERY_IPV4_ADDRESS, port)]


def _bind_localhost(port: int) -> list[socket.socket]:
    ipv4 = _listener(socket.AF_INET, "127.0.0.1", port)
    try:
        return [ipv4, _listener(socket.AF_INET6, "::1", ipv4.getsockname()[1])]
    except OSError as error:
        if error.errno in NO_IPV6:
            return [ipv4]
        ipv4.close()
        raise


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    # Reuses a port with lingering connections of an earlier server, but not one that another process listens on.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit this. Without it a response's headers and body, two writes, are 40 ms apart (Nagle's
    # algorithm): asyncio sets it only on sockets made with an explicit TCP protocol number.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        if address == EVERY_ADDRESS:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener
