"""The Studio's page and files, as browsers ask for them; of a small folder in place of the built one."""

import contextlib
import gzip
import hashlib
import http.client
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.pipeline import Pipeline
from service.published import published
from service.server.auth import ApiKeys
from service.server.rest.app import RestApp
from service.server.rest.studio import accepts, names_ranges
from service.server.rest.studio_files import FOR_EVER, StudioFile, studio_files
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from tests.service.server.rest.conftest import running

SCRIPT = b"export const faces = [];\n" * 400
WASM = bytes(range(256)) * 40  # stands for what is stored compressed: it is sent as it is
FILM = bytes(range(251)) * 1000
FILES = {
    "dist/index.html": b"<!doctype html><title>MFN Studio</title>",
    "dist/assets/index-Ab3_x-9Z.js": SCRIPT,
    "dist/assets/index-Ab3_x-9Z.css": b"body { margin: 0 }",
    "dist/assets/ort-wasm-simd-threaded.wasm.br": WASM,
    "dist/licenses.txt": b"three: MIT",
    "characters/human.glb": b"glTF" * 100,
    "characters/human.py": b"print()",
    "film/faces.webm": FILM,
    "film/truth.json": b"{}",
    "package.json": b"{}",
}
TYPES = {
    "": "text/html; charset=utf-8",
    "assets/index-Ab3_x-9Z.js": "text/javascript; charset=utf-8",
    "assets/index-Ab3_x-9Z.css": "text/css; charset=utf-8",
    "assets/ort-wasm-simd-threaded.wasm": "application/wasm",
    "licenses.txt": "text/plain; charset=utf-8",
    "characters/human.glb": "model/gltf-binary",
    "film/faces.webm": "video/webm",
    "models/face_model.npz": "application/octet-stream",
    "models/manifest.json": "application/json",
    "models/mfn.int8.onnx": "application/octet-stream",
    "models/sfn.int8.onnx": "application/octet-stream",
}
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StudioFile]:
    folder = tmp_path_factory.mktemp("studio")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return studio_files(folder, published("models"))


@pytest.fixture(scope="module")
def state(settings: Settings, pipeline: Pipeline, workers: Workers) -> ServerState:
    """Of a server that lets pages of one other host ask."""
    return ServerState(replace(settings, cors_origins="https://page.example"), pipeline, workers)


@pytest.fixture(scope="module")
def page(state: ServerState, files: dict[str, StudioFile]) -> Iterator[httpx2.Client]:
    with running(RestApp(state, studio=files)) as client:
        yield client


def test_every_file_of_the_page_and_nothing_else(page: httpx2.Client, files: dict[str, StudioFile]) -> None:
    assert files.keys() == TYPES.keys()
    for name, media_type in TYPES.items():
        asked = {"Accept-Encoding": "br" if "wasm" in name else "identity"}
        with page.stream("GET", f"/studio/{name}", headers=asked) as answer:
            pass
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), name
    assert page.get("/studio/", headers=PLAIN).content == FILES["dist/index.html"]
    assert page.get("/studio/film/faces.webm").content == FILM
    assert page.get("/studio/characters/human.glb", headers=PLAIN).content == FILES["characters/human.glb"]
    network = published("models") / "mfn.int8.onnx"
    assert page.get("/studio/models/mfn.int8.onnx").content == network.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "package.json", "characters/human.py", "film/truth.json", "index.html", "dist/index.html", "assets", "assets/",
        "../package.json", "%2e%2e/package.json", "assets/%2e%2e/%2e%2e/package.json", "..%2fpackage.json",
        "%2fetc%2fpasswd", "/etc/passwd", "assets/index-Ab3_x-9Z.js%00", "models/mfn.float32.onnx", "x" * 5000,
        "assets/ort-wasm-simd-threaded.wasm.br", "%ff%fe", "/",
    ],
)  # fmt: skip
def test_no_path_leads_anywhere_else(page: httpx2.Client, path: str) -> None:
    with contextlib.closing(http.client.HTTPConnection(page.base_url.host, page.base_url.port or 80)) as connection:
        connection.request("GET", f"/studio/{path}")  # as it stands: httpx would resolve the dots
        answer = connection.getresponse()
        assert answer.status == 404
        assert b"urn:problem-type:mfn:not-found" in answer.read()


def test_the_page_s_address_ends_with_a_slash_also_behind_a_prefix(page: httpx2.Client) -> None:
    for path, status in (("/studio", 308), ("/", 307)):
        answer = page.get(path)
        assert (answer.status_code, answer.headers["location"]) == (status, "studio/")
        assert answer.next_request is not None
        assert answer.next_request.url.path == "/studio/"
        asked = page.get(f"{path}?engine=local&camera=A%20%26%20B")
        assert asked.headers["location"] == "studio/?engine=local&camera=A%20%26%20B"


def test_a_server_without_it_has_no_such_paths(client: httpx2.Client) -> None:
    for path in ("/studio", "/studio/", "/studio/assets/index-Ab3_x-9Z.js", "/"):
        assert client.get(path).status_code == 404


def test_the_page_may_load_nothing_from_elsewhere(page: httpx2.Client) -> None:
    for name in ("", "assets/index-Ab3_x-9Z.js", "models/manifest.json"):
        headers = page.get(f"/studio/{name}").headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy.pop("default-src") == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        allowed = {source for sources in policy.values() for source in sources.split()}
        assert allowed == {"'self'", "'none'", "'wasm-unsafe-eval'", "blob:", "data:"}
        assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
        assert (headers["cross-origin-opener-policy"], headers["cross-origin-embedder-policy"]) == (
            "same-origin",
            "require-corp",
        )
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert "camera=(self)" in headers["permissions-policy"]
        assert headers["referrer-policy"] == "no-referrer"


def test_what_has_its_content_s_hash_in_its_name_is_kept(page: httpx2.Client, files: dict[str, StudioFile]) -> None:
    """The name of onnxruntime's wasm only looks so."""
    kept = {name for name, file in files.items() if file.cache_control == FOR_EVER}
    assert kept == {"assets/index-Ab3_x-9Z.js", "assets/index-Ab3_x-9Z.css"}
    assert page.get("/studio/assets/index-Ab3_x-9Z.js").headers["cache-control"] == FOR_EVER
    assert page.get("/studio/").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("name", ["", "film/faces.webm", "models/sfn.int8.onnx", "assets/index-Ab3_x-9Z.js"])
def test_what_has_not_changed_is_not_sent_again(page: httpx2.Client, name: str, coding: str) -> None:
    asked = {"Accept-Encoding": coding}
    first = page.get(f"/studio/{name}", headers=asked)
    assert re.fullmatch(r'"[^"]+"', first.headers["etag"])  # a strong one
    for tags in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = page.get(f"/studio/{name}", headers=asked | {"If-None-Match": tags})
        assert (again.status_code, again.content) == (304, b"")
        for field in ("etag", "cache-control"):
            assert again.headers[field] == first.headers[field]
    assert page.get(f"/studio/{name}", headers=asked | {"If-None-Match": '"other"'}).status_code == 200


def test_another_content_has_another_tag(tmp_path: Path) -> None:
    tags = set()
    for content in (b"a", b"b"):
        path = tmp_path / "file.js"
        path.write_bytes(content)
        tags.add(StudioFile(path, "text/javascript", "no-cache").digest)
        assert hashlib.sha256(content).hexdigest().startswith(StudioFile(path, "text/javascript", "no-cache").digest)
    assert len(tags) == 2


def test_text_is_compressed_for_those_who_accept_it(page: httpx2.Client) -> None:
    path = "/studio/assets/index-Ab3_x-9Z.js"
    with page.stream("GET", path, headers={"Accept-Encoding": "gzip, deflate, br"}) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(sent) < len(SCRIPT) / 10
    assert gzip.decompress(sent) == SCRIPT
    plain = page.get(path, headers=PLAIN)
    assert plain.content == SCRIPT
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != answer.headers["etag"]  # of other bytes
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding, Origin"
    film = page.get("/studio/film/faces.webm")
    assert "content-encoding" not in film.headers
    assert film.headers["vary"] == "Origin"  # of CORS alone


def test_what_is_stored_compressed_is_sent_so_or_refused(page: httpx2.Client) -> None:
    path = "/studio/assets/ort-wasm-simd-threaded.wasm"
    with page.stream("GET", path, headers={"Accept-Encoding": "gzip, br;q=0.9"}) as answer:
        assert b"".join(answer.iter_raw()) == WASM
    assert (answer.headers["content-encoding"], answer.headers["content-type"]) == ("br", "application/wasm")
    assert (answer.headers["vary"], answer.headers["content-length"]) == ("Accept-Encoding, Origin", str(len(WASM)))
    refused = page.get(path, headers={"Accept-Encoding": "gzip"})
    document = refused.json()
    assert (refused.status_code, document["type"]) == (406, "urn:problem-type:mfn:not-acceptable")
    assert "br over HTTPS" in document["detail"]


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("br", True), ("BR", True), ("gzip, br", True), ("gzip,br;q=0.001", True), ("*", True), ("*;q=0, br", True),
        ("br; q=1.0", True), ("", False), ("gzip", False), ("br;q=0", False), ("br;q=0.000", False), ("*;q=0", False),
        ("br;q=0, *", False), ("brotli", False),
    ],
)  # fmt: skip
def test_accept_encoding(header: str, accepted: bool) -> None:
    assert accepts(header, "br") is accepted


@given(st.text(max_size=60))
def test_any_accept_encoding_is_read(header: str) -> None:
    assert accepts(header, "br") in (True, False)


@pytest.mark.parametrize(("asked", "start", "end"), [("0-1", 0, 2), ("1000-", 1000, len(FILM)), ("-10", -10, None)])
def test_players_seek_in_the_film(page: httpx2.Client, asked: str, start: int, end: int | None) -> None:
    part = page.get("/studio/film/faces.webm", headers={"Range": f"bytes={asked}"})
    assert (part.status_code, part.content) == (206, FILM[start:end])
    assert part.headers["content-range"].endswith(f"/{len(FILM)}")
    assert part.headers["accept-ranges"] == "bytes"
    tag = page.head("/studio/film/faces.webm").headers["etag"]
    of_it = {"Range": f"bytes={asked}", "If-Range": tag}
    assert page.get("/studio/film/faces.webm", headers=of_it).status_code == 206
    of_another = {"Range": f"bytes={asked}", "If-Range": '"other"'}
    assert page.get("/studio/film/faces.webm", headers=of_another).content == FILM


def test_a_part_that_is_not_there(page: httpx2.Client) -> None:
    answer = page.get("/studio/film/faces.webm", headers={"Range": f"bytes={len(FILM)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(FILM)}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:problem-type:mfn:range-not-satisfiable",
        "title": "The file has no such bytes",
        "status": 416,
        "detail": f"The file has {len(FILM)} bytes, and the request's Range names others. "
        "Ask for some of them, or without Range.",
    }
    many = page.get("/studio/film/faces.webm", headers={"Range": "bytes=" + "0-,1-," * 2000})
    assert many.content == FILM  # so many parts are no player's


@pytest.mark.parametrize(
    "header",
    ["bytes=5-2", "bytes=abc", "bytes=", "bytes=-", "bytes=0-1,9-5", "lines=0-1", "bytes", "bytes=0-" + "9" * 5000],
)
def test_a_range_that_is_none_is_ignored(page: httpx2.Client, header: str) -> None:
    answer = page.get("/studio/film/faces.webm", headers={"Range": header})
    assert (answer.status_code, answer.content) == (200, FILM)


def test_several_ranges(page: httpx2.Client) -> None:
    answer = page.get("/studio/film/faces.webm", headers={"Range": "BYTES=0-1 ,\t, 5-6,"})
    assert answer.status_code == 206
    assert answer.content.count(b"Content-Range: bytes ") == 2


@given(st.text("0123456789-,= ", max_size=40).map("bytes={}".format))
def test_any_range_is_read(header: str) -> None:
    assert names_ranges(header) in (True, False)


def test_head_tells_what_get_does(page: httpx2.Client) -> None:
    for name in TYPES:
        asked = {"Accept-Encoding": "br"} if "wasm" in name else PLAIN
        with page.stream("GET", f"/studio/{name}", headers=asked) as get:
            pass
        with page.stream("HEAD", f"/studio/{name}", headers=asked) as head:
            assert b"".join(head.iter_raw()) == b""
        own = {"date", "x-request-id"}
        assert head.headers.keys() == get.headers.keys()
        assert all(head.headers[field] == get.headers[field] for field in get.headers.keys() - own)
    refused = page.post("/studio/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_pages_of_other_hosts_load_characters_where_they_are_named(page: httpx2.Client) -> None:
    for name in ("characters/human.glb", "film/faces.webm"):
        named = page.get(f"/studio/{name}", headers={"Origin": "https://page.example"}).headers
        assert named["access-control-allow-origin"] == "https://page.example"
        assert "Origin" in named["vary"]
        other = page.get(f"/studio/{name}", headers={"Origin": "https://other.example"}).headers
        assert "access-control-allow-origin" not in other


def test_all_files_count_as_one_path(page: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    """A line of the log is written once the answer is out."""
    paths = ("/studio/characters/human.glb", "/studio/nothing", "/studio/", "/studio")

    def methods() -> list[str]:
        fields = [getattr(line, "fields", {}) for line in caplog.records]
        return [line["method"] for line in fields if line.get("request_id") == "one-path"]

    with caplog.at_level(logging.INFO, "mfn.requests"):
        for path in paths:
            page.get(path, headers={"X-Request-Id": "one-path"})
        end = time.monotonic() + 20
        while len(methods()) < len(paths) and time.monotonic() < end:
            time.sleep(0.01)
    assert sorted(methods()) == ["GET /studio", *["GET /studio/"] * 3]
    exposition = page.get("/metrics").text
    assert 'method="GET /studio/"' in exposition
    assert "human" not in exposition


def test_it_needs_no_key(
    settings: Settings, pipeline: Pipeline, workers: Workers, files: dict[str, StudioFile]
) -> None:
    state = ServerState(settings, pipeline, workers, ApiKeys.of_setting("a-key-of-16-characters", None))
    with running(RestApp(state, studio=files)) as client:
        assert client.get("/studio/").status_code == 200
        assert client.get("/model").status_code == 401


def test_a_file_that_is_gone_is_a_failure_of_the_server(state: ServerState, tmp_path: Path) -> None:
    gone = {"gone.txt": StudioFile(tmp_path / "gone.txt", "text/plain", "no-cache")}
    with running(RestApp(state, studio=gone)) as client:
        answer = client.get("/studio/gone.txt")
        assert (answer.status_code, answer.json()["type"]) == (500, "urn:problem-type:mfn:internal")
        assert client.get("/livez").status_code == 200


def test_without_a_built_page_there_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "characters").mkdir()
    (tmp_path / "characters/human.glb").write_bytes(b"glTF")
    assert studio_files(tmp_path, published("models")) == {}


@pytest.mark.skipif(not (published("studio") / "dist/index.html").exists(), reason="run `make studio`")
def test_the_built_page_names_only_files_that_are_served() -> None:
    files = studio_files(published("studio"), published("models"))
    text = files[""].path.read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="(?!data:)(?:\./)?([^"]+)"', text)
    assert named
    assert set(named) <= files.keys()
    assert not re.findall(r"<style|style=|<script(?![^>]*src=)|\son\w+=", text)  # which the policy forbids
