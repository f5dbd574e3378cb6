import socket
from collections.abc import Iterator

import pytest

from service.cli.avatar.udp import UdpSender


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield listening


def test_packets_arrive_in_order(receiver: socket.socket) -> None:
    with UdpSender("127.0.0.1", receiver.getsockname()[1]) as sender:
        sender.send(b"one", b"two")
        sender.send(b"three")
        assert [receiver.recv(100) for _ in range(3)] == [b"one", b"two", b"three"]
        assert sender.dropped == 0


def test_a_port_after_the_first(receiver: socket.socket) -> None:
    with UdpSender("127.0.0.1", receiver.getsockname()[1] - 3) as sender:
        sender.send(b"hello", offset=3)
        assert receiver.recv(100) == b"hello"


def test_there_are_no_ports_after_the_last() -> None:
    with UdpSender("127.0.0.1", 65534) as sender:
        assert sender.ports == 2
        sender.send(b"hello", offset=1)


def test_nobody_there_is_no_error_and_who_comes_later_is_served(receiver: socket.socket) -> None:
    address = receiver.getsockname()
    receiver.close()
    with UdpSender(*address) as sender:
        for _ in range(20):
            sender.send(b"into the void")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(address)
            late.settimeout(10)
            sender.send(b"hello")
            assert late.recv(100) == b"hello"


def test_what_cannot_be_sent_is_dropped_and_counted(receiver: socket.socket) -> None:
    with UdpSender("127.0.0.1", receiver.getsockname()[1]) as sender:
        sender.send(bytes(70_000), b"small")  # more than a datagram holds
        assert receiver.recv(100) == b"small"
        assert sender.dropped == 1


def test_a_full_buffer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(socket.socket):
        def sendto(self, *_: object) -> int:
            assert not self.getblocking()
            raise BlockingIOError

    monkeypatch.setattr(socket, "socket", Full)
    with UdpSender("127.0.0.1", 9) as sender:
        sender.send(b"one", b"two")
        assert sender.dropped == 2


def test_localhost_is_ipv4_where_it_is_both(monkeypatch: pytest.MonkeyPatch, receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    both = [
        (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", port, 0, 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with UdpSender("localhost", port) as sender:
        sender.send(b"hello")
    assert receiver.recv(100) == b"hello"
