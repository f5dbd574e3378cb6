"""The Studio at /studio/: a page in which faces move characters, and what it loads. None of it needs a key."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Message, Receive, Scope, Send

from service.errors import NOT_ACCEPTABLE, NOT_FOUND, RANGE_NOT_SATISFIABLE, RequestError
from service.server.problems import CODES
from service.server.rest.paths import Paths
from service.server.rest.responses import problem_response
from service.server.rest.studio_files import StudioFile

PAGE: Final = "/studio"
FOLDER: Final = "/studio/"
PIECE_BYTES: Final = 64 * 2**10  # sent at once, so that a slow client has the time of a piece and not of the whole
RANGE: Final = re.compile(r"[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18}")  # of bytes; no file has as many as 18 digits tell
POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",  # onnxruntime, in the local mode
    "worker-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",  # textures of characters, pictures of the user's
    "media-src": "'self' blob:",
    # 'self' is the WebSocket of this host, too: in Chromium since 71, in Safari since 16, in Firefox since before both.
    "connect-src": "'self' blob: data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
# Of every file: a worker is held to those of its own script.
SECURITY: Final = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in POLICY.items()),
    # Isolated from other sites, so that WebAssembly may have threads.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",  # pages that MFN_CORS_ORIGINS names ask by CORS, which this allows
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_studio(paths: Paths, files: Mapping[str, StudioFile]) -> None:
    """Adds the Studio's paths. files: by their paths below /studio/."""

    @paths.get("/")
    async def root(request: Request) -> Response:
        # For now: another server at this address may have no Studio.
        return RedirectResponse(_page_address(request), 307)

    @paths.get(PAGE)
    async def page(request: Request) -> Response:
        return RedirectResponse(_page_address(request), 308)

    @paths.get(FOLDER + "{name:path}")
    async def file(request: Request, name: str) -> Response:
        if name not in files:
            raise RequestError(NOT_FOUND, f"The Studio has no file {name[:80]!r}. Open /studio/ anew.")
        # In a thread: the first request reads the whole file.
        return await run_in_threadpool(file_response, files[name], request.headers)


def _page_address(request: Request) -> str:
    """The page's address with the request's query; relative, so that a proxy's prefix stays."""
    query = request.url.query
    return f"studio/?{query}" if query else "studio/"


def file_response(file: StudioFile, asked: Headers) -> Response:
    """The response with a file: whole, a range of it, or that it has not changed. asked: the request's headers.

    Raises RequestError NOT_ACCEPTABLE where it is stored in a coding that the request does not accept.
    """
    accepted = asked.get("accept-encoding", "")
    if file.coding and not accepts(accepted, file.coding):
        raise RequestError(
            NOT_ACCEPTABLE,
            f"This file is stored in {file.coding}, which the request's Accept-Encoding does not name. Browsers name "
            "br over HTTPS, and most of them on localhost: ask one of these ways.",
        )
    zipped = file.gzipped if file.compressible and accepts(accepted, "gzip") else None
    headers = {
        **SECURITY,
        "Cache-Control": file.cache_control,
        "ETag": f'"{file.digest}"' if zipped is None else f'"{file.digest}-gzip"',
    }
    if file.coding or file.compressible:
        headers["Vary"] = "Accept-Encoding"
    if file.coding:
        headers["Content-Encoding"] = file.coding
    if _is_known(headers["ETag"], asked.get("if-none-match", "")):
        return NotModifiedResponse(Headers(headers))
    if zipped is None:
        return RangedFile(file.path, headers=headers, media_type=file.media_type)
    headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(zipped))}
    return StreamingResponse(_pieces(zipped), headers=headers, media_type=file.media_type)


class RangedFile(FileResponse):
    """A file, or ranges of it, where they are asked for. A header that is none is ignored (RFC 9110 section 14.2)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it. FileResponse alone would answer with status 400 in words that are not this service's, and with 416
        in none."""
        known = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or names_ranges(value.decode("latin-1"))
        ]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == CODES[RANGE_NOT_SATISFIABLE].http:
                raise _NoSuchBytesError(Headers(raw=message["headers"])["content-range"])
            await send(message)

        try:
            await super().__call__({**scope, "headers": known}, receive, answer)
        except _NoSuchBytesError as error:
            problem = RequestError(
                RANGE_NOT_SATISFIABLE,
                f"The file has {error.content_range.rpartition('/')[2]} bytes, and the request's Range names others. "
                "Ask for some of them, or without Range.",
            )
            await problem_response(problem, {"Content-Range": error.content_range})(scope, receive, send)


class _NoSuchBytesError(Exception):
    """A range is beyond the file's end. content_range: the answer's header, which tells the file's size."""

    def __init__(self, content_range: str) -> None:
        super().__init__(content_range)
        self.content_range = content_range


def names_ranges(header: str) -> bool:
    """Whether a Range header (RFC 9110 section 14.1.2) names ranges of bytes, and none that ends before it starts."""
    unit, _, listed = header.partition("=")
    ranges = [part.strip(" \t") for part in listed.split(",")]
    return unit.lower() == "bytes" and any(ranges) and all(map(_is_range, filter(None, ranges)))


def _is_range(text: str) -> bool:
    first, _, last = text.partition("-")
    return RANGE.fullmatch(text) is not None and not (first and last and int(first) > int(last))


def accepts(accept_encoding: str, coding: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110 section 12.5.3) allows a coding."""
    weights = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = parameter.replace(" ", "").removeprefix("q=") or "1"
    return weights.get(coding, weights.get("*", "0")).strip("0.") != ""


def _is_known(etag: str, if_none_match: str) -> bool:
    """Whether an If-None-Match header names this ETag, or any (RFC 9110 section 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in known or "*" in known


async def _pieces(content: bytes) -> AsyncIterator[memoryview]:
    for start in range(0, len(content), PIECE_BYTES):
        yield memoryview(content)[start : start + PIECE_BYTES]
