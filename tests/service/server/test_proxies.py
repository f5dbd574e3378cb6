import pytest

from service.errors import StartError
from service.server.proxies import TrustedProxies

PROXIES = TrustedProxies.of_setting("10.0.0.0/8, 192.0.2.1, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("::ffff:198.51.100.7", [], "198.51.100.7"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.1.2.3", ["198.51.100.7:4711"], "198.51.100.7"),
        ("fd00::5", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("fd00::5", ["2001:db8::1"], "2001:db8::1"),
        ("10.1.2.3", ["203.0.113.9, 198.51.100.7, 192.0.2.1"], "198.51.100.7"),  # what the client wrote is not believed
        ("10.1.2.3", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", ["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        ("10.1.2.3", ["unknown"], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.7, unknown"], "10.1.2.3"),
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(peer: str, forwarded: list[str], client: str) -> None:
    assert PROXIES.client_of(peer, forwarded) == client


def test_where_all_are_trusted_the_client_is_the_first() -> None:
    everybody = TrustedProxies.of_setting("*")
    assert everybody.client_of("198.51.100.7", ["203.0.113.9, 203.0.113.8"]) == "203.0.113.9"
    assert everybody.host_of("198.51.100.7", "inner", ["outer"]) == "outer"


@pytest.mark.parametrize(
    ("peer", "forwarded", "host"),
    [
        ("10.1.2.3", ["faces.example"], "faces.example"),
        ("10.1.2.3", ["forged.example, faces.example:8443"], "faces.example:8443"),
        ("10.1.2.3", ["forged.example", "faces.example"], "faces.example"),
        ("10.1.2.3", [], "inner:8000"),
        ("198.51.100.7", ["forged.example"], "inner:8000"),
    ],
)
def test_the_host_is_that_which_a_trusted_proxy_was_asked_for(peer: str, forwarded: list[str], host: str) -> None:
    assert PROXIES.host_of(peer, "inner:8000", forwarded) == host


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.1/8", "10.0.0", "10.0.0.1;10.0.0.2"])
def test_what_is_no_address_keeps_the_server_from_starting(text: str) -> None:
    with pytest.raises(StartError, match=r"MFN_TRUSTED_PROXIES is not valid: .*10\.0\.0\.0/8"):
        TrustedProxies.of_setting(f"127.0.0.1, {text}")
