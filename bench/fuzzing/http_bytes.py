"""Bytes of HTTP/1.1 requests: valid ones, and those in which lines, headers and bodies are changed."""

from hypothesis import strategies as st

TARGETS = [
    "/retarget",
    "/retarget/",
    "/livez",
    "/readyz",
    "/model",
    "/metrics",
    "/v2",
    "/retarget/stream",
    "*",
    "//",
    "/%",
]
METHODS = ["GET", "POST", "HEAD", "PUT", "OPTIONS", "PRI", "CONNECT", "get", ""]
VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", ""]
NAMED_HEADERS = [
    ("Content-Type", "image/jpeg"), ("Content-Type", "application/json"), ("Content-Type", "multipart/form-data"),
    ("Content-Type", "multipart/form-data; boundary=x"), ("Content-Encoding", "gzip"),
    ("Content-Encoding", "deflate, gzip"), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "gzip, chunked"),
    ("Expect", "100-continue"), ("Upgrade", "h2c"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
    ("Connection", "close"), ("Connection", "keep-alive"), ("Content-Length", "0"), ("Content-Length", "-1"),
    ("Content-Length", "99999999999999999999"), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", "null"), ("X-Forwarded-For", "1.2.3.4"),
]  # fmt: skip
HEADERS = st.one_of(st.sampled_from(NAMED_HEADERS), st.tuples(st.text(max_size=10), st.text(max_size=20)))


@st.composite
def requests(draw: st.DrawFn, encoded: st.SearchStrategy[bytes]) -> bytes:
    """A request of any method, path, headers and body, as bytes."""
    body = draw(st.one_of(st.just(b""), encoded, st.binary(max_size=100)))
    line = " ".join([draw(st.sampled_from(METHODS)), draw(st.sampled_from(TARGETS)), draw(st.sampled_from(VERSIONS))])
    headers = [("Host", "localhost"), *draw(st.lists(HEADERS, max_size=6))]
    if draw(st.booleans()):
        headers.append(("Content-Length", str(len(body))))
    lines = [line, *(f"{name}: {value}" for name, value in headers)]
    data = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    if draw(st.booleans()):
        position = draw(st.integers(0, len(data)))
        data = data[:position] + draw(st.binary(max_size=8)) + data[position:]
    return data
