"""The proxies whose X-Forwarded-* headers are believed, as MFN_TRUSTED_PROXIES names them."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Final, Self

from service.errors import StartError

ANY: Final = "*"
FORWARDED_FOR: Final = "x-forwarded-for"
FORWARDED_HOST: Final = "x-forwarded-host"
MAPPED: Final = "::ffff:"  # begins an IPv4 address where a socket serves both families, RFC 4291 section 2.5.5.2


class TrustedProxies:
    """Addresses and networks that are trusted. Others could write any client or host into their headers."""

    def __init__(self, networks: tuple[str, ...] = ()) -> None:
        """networks: addresses and networks, or ANY. Raises ValueError where one is neither."""
        self._any = ANY in networks
        self._networks = [ip_network(network) for network in networks if network != ANY]

    @classmethod
    def of_setting(cls, text: str) -> Self:
        """Parses comma-separated addresses and networks. Raises StartError where one is neither."""
        try:
            return cls(tuple(part.strip() for part in text.split(",") if part.strip()))
        except ValueError as error:
            raise StartError(
                f"MFN_TRUSTED_PROXIES is not valid: {error}. Expected addresses and networks with commas between, as "
                "10.0.0.0/8, 192.168.1.5; or *."
            ) from error

    def client_of(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """The address of a request's client. peer: that of its connection. forwarded_for: its X-Forwarded-For headers.

        Each proxy adds to X-Forwarded-For the address that it was asked from, so the client is the last one that is no
        proxy's; what comes before it is the client's own text.
        """
        address = peer.removeprefix(MAPPED)
        if not forwarded_for:
            return address
        for forwarded in reversed(",".join(forwarded_for).split(",")):
            if not (named := _address_of(forwarded.strip())) or not self._trusts(address):
                break
            address = named
        return address

    def host_of(self, peer: str, host: str, forwarded_host: Sequence[str]) -> str:
        """The host that a client asked: the last X-Forwarded-Host, where a trusted proxy sends it, otherwise Host."""
        if forwarded_host and self._trusts(peer.removeprefix(MAPPED)):
            return forwarded_host[-1].rpartition(",")[2].strip()
        return host

    def _trusts(self, address: str) -> bool:
        if self._any:
            return True
        try:
            parsed = ip_address(address)
        except ValueError:  # of a socket that is no address
            return False
        return any(parsed in network for network in self._networks)


def _address_of(forwarded: str) -> str:
    """The address of an entry of X-Forwarded-For, without its port; "" where it is none."""
    host = forwarded.rpartition(":")[0] if forwarded.count(":") == 1 or "]:" in forwarded else forwarded
    try:
        return str(ip_address(host.strip("[]").removeprefix(MAPPED)))
    except ValueError:
        return ""
