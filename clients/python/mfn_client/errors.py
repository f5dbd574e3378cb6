"""The error of a failed call."""

import re
from collections.abc import Iterable
from typing import Final, Protocol, cast

import grpc

# gRPC's own sentence, with the message's bytes and the most: it ends a call whose message is far too large unread.
LARGER_THAN_MAX: Final = re.compile(r"(?:SERVER: )?Received message larger than max \((\d+) vs\. (\d+)\)")

Trailers = Iterable[tuple[str, str | bytes]] | None


class MfnError(Exception):
    """A call that failed.

    code: gRPC's. problem: the server's name of the failure, as in the README's table; None where the error is gRPC's
    own, as for a server that is not running. detail: text for people. retry_after: seconds after which the same call
    may succeed, None where the server does not tell.
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
    """The methods that gRPC's errors share, with and without asyncio; grpc.RpcError itself has none."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Trailers: ...


def error_of(error: grpc.RpcError) -> MfnError:
    """Converts an error that gRPC raised."""
    status = cast(_Status, error)
    return error_of_status(status.code(), status.details(), status.trailing_metadata())


def error_of_status(code: grpc.StatusCode, details: str | None, trailers: Trailers) -> MfnError:
    """Converts the parts of a status that is not OK."""
    texts = {key: value for key, value in trailers or () if isinstance(value, str)}
    problem = texts.get("mfn-problem")
    if problem is None and (larger := LARGER_THAN_MAX.match(details or "")):
        problem = "too-large"
        details = f"The message has {larger[1]} bytes, and at most {larger[2]} are received. Scale the picture down."
    return MfnError(code, problem, details or "", _seconds(texts.get("retry-after")))


def _seconds(text: str | None) -> float | None:
    """Parses retry-after's seconds; None also for a date, which a proxy may send."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
