"""Ends calls that cannot be served, so that their clients know the problem's name."""

import traceback
from typing import Final, NoReturn

import grpc

from service.errors import RequestError
from service.server.grpc.reading import Context
from service.server.problems import codes_of
from service.server.telemetry.request_log import REQUEST_ID_HEADER

PROBLEM_HEADER: Final = "mfn-problem"  # trailing metadata: the problem's name, as in the type of REST's documents


async def abort(context: Context, problem: RequestError, request_id: str | None = None) -> NoReturn:
    """Ends a call with a problem: its code, its sentence and, as trailing metadata, its name.

    request_id: of the call's log.
    """
    release(problem)
    metadata = [(PROBLEM_HEADER, problem.kind.name)]
    if request_id is not None:
        metadata.append((REQUEST_ID_HEADER, request_id))
    if problem.retry_after is not None:
        metadata.append(("retry-after", str(problem.retry_after)))
    await context.abort(grpc.StatusCode[codes_of(problem).grpc], problem.detail, tuple(metadata))
    raise AssertionError("abort raises")


def release(error: BaseException | None) -> None:
    """Clears the frames of an error's traceback, which hold the picture.

    gRPC keeps the error of an aborted call in a reference cycle until the garbage collector finds it.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
