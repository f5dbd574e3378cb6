"""The gRPC server: the service, grpc.health.v1 and reflection on one port."""

import asyncio
from collections import deque
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service.errors import StartError
from service.server.grpc.admission import largest_received
from service.server.grpc.health import HealthInterceptor
from service.server.grpc.servicer import SERVICE, RetargetServicer
from service.server.state import ServerState
from service.server.tls import Certificate
from service.settings import Settings

# A client that has vanished is noticed after a minute, also on half-open connections.
KEEPALIVE_MS: Final = 40_000
KEEPALIVE_TIMEOUT_MS: Final = 20_000
# Clients may send keepalive pings of their own every second, also between calls. gRPC ends connections with more, and
# cannot say why. Half of it, since pings do not come as evenly as they are sent.
MIN_PING_INTERVAL_MS: Final = 500
# Flow control window: bytes that a call may send before its message is read. A usual frame fits. By default gRPC
# raises it to megabytes where the network is fast, which would all take memory.
WINDOW_BYTES: Final = 256 * 2**10
# Calls that have come and that Python has not accepted yet, which takes milliseconds each; gRPC ends those beyond it.
# By default it would hold thousands, and a window's bytes of each.
MAX_PENDING: Final = 256
HANDSHAKE_MS: Final = 3_000  # for TLS and HTTP/2's preface
# After the last call has ended, for its answer to be sent. Then only connections are left whose handshake is not over;
# gRPC would wait for it.
LAST_ANSWER_SECONDS: Final = 0.2
LOOK_SECONDS: Final = 0.02  # from one look at the calls in work to the next


def _connection_age(settings: Settings) -> list[tuple[str, int]]:
    """gRPC's options for the age of connections, where one is set.

    Calls in progress when a connection reaches it get a request's deadline, so only streams are cut; they end with
    UNAVAILABLE, and clients open them again.
    """
    if not settings.max_connection_age_seconds:
        return []
    return [
        ("grpc.max_connection_age_ms", round(settings.max_connection_age_seconds * 1e3)),
        ("grpc.max_connection_age_grace_ms", round(settings.deadline_seconds * 1e3)),
    ]


def _configuration(certificate: Certificate) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(certificate.key, certificate.chain)])


class GrpcServer:
    """The gRPC server. Create it on the event loop on which it will run. port: the one it listens on."""

    def __init__(self, state: ServerState, certificate: Certificate | None) -> None:
        """certificate: for TLS. Raises StartError where the port is in use or the address not of this machine."""
        settings = state.settings
        largest = largest_received(settings)
        pending = max(MAX_PENDING, settings.queue_length + settings.max_streams)
        self._renewed: deque[grpc.ServerCertificateConfiguration] = deque(maxlen=1)
        self._server = grpc.aio.server(
            interceptors=[HealthInterceptor(SERVICE, largest, state.draining)],
            options=[
                *_connection_age(settings),
                ("grpc.so_reuseport", 0),  # otherwise a second server could silently share the port
                ("grpc.max_receive_message_length", largest),
                ("grpc.per_message_decompression", 0),  # see service.server.grpc.reading
                # Twice of what is served, so that we can tell those who send a little more.
                ("grpc.max_metadata_size", 2 * settings.max_header_bytes),
                ("grpc.absolute_max_metadata_size", 2 * settings.max_header_bytes),
                ("grpc.server.max_pending_requests", pending),
                ("grpc.server.max_pending_requests_hard_limit", pending),
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
                ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
                ("grpc.keepalive_time_ms", KEEPALIVE_MS),
                ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
            ],
        )
        self._servicer = RetargetServicer(state)
        self._servicer.add_to(self._server)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        self.port = self._listen(settings, certificate)

    def _listen(self, settings: Settings, certificate: Certificate | None) -> int:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{host}:{settings.grpc_port}"
        try:
            if certificate is None:
                port = self._server.add_insecure_port(address)
            else:
                credentials = grpc.dynamic_ssl_server_credentials(
                    _configuration(certificate),
                    self._take_renewed,  # type: ignore[arg-type]  # which may return None, by its documentation
                )
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError:
            port = 0
        if port == 0:
            raise StartError(
                f"Cannot listen on {settings.host} port {settings.grpc_port} for gRPC: it is taken, or the address is "
                "not of this machine. Set MFN_HOST or MFN_GRPC_PORT."
            )
        return int(port)

    def replace_certificate(self, certificate: Certificate) -> None:
        """Presents this certificate to new connections."""
        self._renewed.append(_configuration(certificate))

    def _take_renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """The renewed certificate, None where there is none. gRPC calls this before each handshake, in its own thread.

        Each one is returned once, since gRPC then owns it.
        """
        return self._renewed.pop() if self._renewed else None

    async def start(self) -> None:
        """Starts to listen, then reports SERVING as health."""
        await self._server.start()
        for name in ("", SERVICE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def not_ready(self) -> None:
        """Reports NOT_SERVING as health from now on, whatever is set later."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Stops the server: no new calls, and `grace` seconds for those in progress."""
        stopping = asyncio.create_task(self._server.stop(grace))
        now = asyncio.get_running_loop().time
        last = now()
        while not stopping.done() and now() - last < LAST_ANSWER_SECONDS:
            await asyncio.wait([stopping], timeout=LOOK_SECONDS)
            if self._servicer.calls:
                last = now()
        await self._server.stop(0)
        await stopping
