"""What went wrong with a call, whoever says so."""

from collections.abc import Iterable
from typing import Protocol, cast

import grpc

Trailers = Iterable[tuple[str, str | bytes]] | None


class MfnError(Exception):
    """A call that failed.

    code: gRPC's. problem: the server's name for it, as in the README's table; None where gRPC itself speaks, as of a
    server that is not there. detail: a sentence for people. retry_after: seconds after which the same call may work,
    where the server says so.
    """

    def __init__(
        self, code: grpc.StatusCode, problem: str | None, detail: str, retry_after: float | None = None
    ) -> None:
        super().__init__(code, problem, detail, retry_after)
        self.code = code
        self.problem = problem
        self.detail = detail
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.problem or self.code.name}: {self.detail}"


class _Status(Protocol):
    """What the errors that gRPC raises have in common, with and without asyncio; their own base class has nothing."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Trailers: ...


def error_of(error: grpc.RpcError) -> MfnError:
    """Of what gRPC raised."""
    status = cast(_Status, error)
    return error_of_status(status.code(), status.details(), status.trailing_metadata())


def error_of_status(code: grpc.StatusCode, details: str | None, trailers: Trailers) -> MfnError:
    """Of the parts of a status that is not OK."""
    texts = {key: value for key, value in trailers or () if isinstance(value, str)}
    return MfnError(code, texts.get("mfn-problem"), details or "", _seconds(texts.get("retry-after")))


def _seconds(text: str | None) -> float | None:
    """None, too, for a date, which a proxy may have put there."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
