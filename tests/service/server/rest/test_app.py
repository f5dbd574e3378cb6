import base64
import gzip
import http.client
import logging
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline, RetargetResult
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from service.vision.arkit import WITHOUT_GAZE
from service.vision.gaze import GAZE_NAMES
from service.vision.image import ImageLoader
from tests.service.server.rest.conftest import Serve
from tests.service.tiny_models import GAZE_LOGIT, encoded

PNG = {"Content-Type": "image/png"}
JPEG = {"Content-Type": "image/jpeg"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
JSON = {"Content-Type": "application/json"}


def is_problem(answer: httpx2.Response, status: int, *words: str) -> bool:
    """Asserts that an answer is a problem document of this status, whose detail has these words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail"}
    assert document["status"] == status
    assert document["type"].startswith("urn:problem-type:mfn:")
    missing = [word for word in words if word not in document["detail"]]
    assert not missing, document["detail"]
    assert document["detail"].endswith((".", ".)"))
    return True


def box(answer: httpx2.Response) -> dict[str, float]:
    """The box of the only face in an answer."""
    assert answer.status_code == 200, answer.text
    (face,) = answer.json()["faces"]
    found: dict[str, float] = face["box"]
    return found


THE_BOX = {"x": 80.0, "y": 16.0, "width": 64.0, "height": 64.0}


# Media types that pictures are sent with, in the wild.
NAMES = (
    "image/jpg", "image/pjpeg", "image/x-png", "image/avif", "image/*", "image/gif", "application/octet-stream",
    "binary/octet-stream", "application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "",
)  # fmt: skip


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes,
}  # fmt: skip


class TestBodies:
    def test_raw(self, client: httpx2.Client, photo: Image.Image) -> None:
        for kind in ("png", "jpeg", "webp"):
            answer = client.post(
                "/retarget", content=encoded(photo, kind.upper()), headers={"Content-Type": f"image/{kind}"}
            )
            assert box(answer) == THE_BOX

    def test_type_has_parameters_and_any_case(self, client: httpx2.Client, png: bytes) -> None:
        answer = client.post("/retarget", content=png, headers={"Content-Type": "Image/PNG; charset=binary"})
        assert box(answer) == THE_BOX

    def test_picture_of_another_type_than_it_says(self, client: httpx2.Client, png: bytes) -> None:
        assert box(client.post("/retarget", content=png, headers=JPEG)) == THE_BOX

    def test_chunked(self, client: httpx2.Client, png: bytes) -> None:
        assert box(client.post("/retarget", content=iter([png[:100], png[100:]]), headers=PNG)) == THE_BOX

    @pytest.mark.parametrize("kind", NAMES)
    def test_whatever_its_type_the_bytes_decide(self, client: httpx2.Client, photo: Image.Image, kind: str) -> None:
        headers = {"Content-Type": kind} if kind else {}
        for form in ("PNG", "JPEG", "WEBP"):
            data = encoded(photo, form)
            assert box(client.post("/retarget", content=data, headers=headers)) == THE_BOX
            part: Any = ("photo", data, kind) if kind else (None, data)
            assert box(client.post("/retarget", files={"image": part})) == THE_BOX

    @pytest.mark.parametrize(
        "kind", ["", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain"]
    )
    def test_json_and_data_urls_of_a_type_that_says_nothing(self, client: httpx2.Client, png: bytes, kind: str) -> None:
        headers = {"Content-Type": kind} if kind else {}
        text = base64.b64encode(png).decode()
        for body in (f'\n{{"image": "{text}"}}', f"data:image/png;base64,{text}"):
            assert box(client.post("/retarget", content=body, headers=headers)) == THE_BOX

    @pytest.mark.parametrize("part_type", ["image/png", "application/octet-stream", None])
    def test_multipart(self, client: httpx2.Client, png: bytes, part_type: str | None) -> None:
        part: Any = ("photo.png", png, part_type) if part_type else (None, png)
        assert box(client.post("/retarget", files={"image": part})) == THE_BOX

    def test_json(self, client: httpx2.Client, png: bytes) -> None:
        assert box(client.post("/retarget", json={"image": base64.b64encode(png).decode()})) == THE_BOX

    @pytest.mark.parametrize("head", ["", "data:image/png;base64,", "data:image/jpeg;charset=utf-8;base64,"])
    def test_json_with_base64_of_any_form(self, client: httpx2.Client, png: bytes, head: str) -> None:
        for text in (base64.urlsafe_b64encode(png).rstrip(b"="), base64.encodebytes(png)):
            for document in ({"image": head + text.decode()}, {"image": head + " ".join(text.decode())}):
                assert box(client.post("/retarget", json=document)) == THE_BOX
        escaped = base64.b64encode(png).replace(b"/", b"\\/")  # as PHP writes it
        assert box(client.post("/retarget", content=b'{"image":"' + escaped + b'"}', headers=JSON)) == THE_BOX

    def test_form_with_a_data_url(self, client: httpx2.Client, png: bytes) -> None:
        url = "data:image/png;base64," + base64.b64encode(png).decode()
        assert box(client.post("/retarget", files={"image": (None, url)})) == THE_BOX

    @pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "deflate, gzip", "identity"])
    def test_content_codings(self, client: httpx2.Client, png: bytes, coding: str) -> None:
        document = b'{"image": "' + base64.b64encode(png) + b'"}'
        for body, kind in ((png, "image/png"), (document, "application/json")):
            for name in coding.split(", "):
                body = ENCODERS[name](body)
            headers = {"Content-Type": kind, "Content-Encoding": coding}
            assert box(client.post("/retarget", content=body, headers=headers)) == THE_BOX
            assert box(client.post("/retarget", content=iter([body[:9], body[9:]]), headers=headers)) == THE_BOX

    def test_json_with_base64_in_lines(self, client: httpx2.Client, png: bytes) -> None:
        assert box(client.post("/retarget", json={"image": base64.encodebytes(png).decode()})) == THE_BOX


class TestAnswer:
    def test_has_the_members_of_the_contract(self, client: httpx2.Client, png: bytes) -> None:
        answer = client.post("/retarget", content=png, headers=PNG)
        document = answer.json()
        assert list(document) == ["model", "image", "timing_ms", "faces"]
        assert document["model"] == {"name": "mfn", "version": "9.9.9"}
        assert document["image"] == {"width": 192, "height": 192}
        assert list(document["timing_ms"]) == ["decode", "preprocess", "queue", "inference", "postprocess"]
        (face,) = document["faces"]
        assert list(face) == ["score", "box", "pose", "identity", "expression"]
        assert list(face["pose"]) == ["quaternion", "yaw", "pitch", "roll", "translation", "scale"]
        assert face["pose"]["quaternion"] == [0, 0, 0, 1]
        assert len(face["identity"]) == 50
        assert len(face["expression"]) == 46

    def test_timings_travel_in_the_header_too(self, client: httpx2.Client, png: bytes) -> None:
        answer = client.post("/retarget", content=png, headers=PNG)
        header = dict(entry.split(";dur=") for entry in answer.headers["server-timing"].split(", "))
        assert {name: float(ms) for name, ms in header.items()} == answer.json()["timing_ms"]

    def test_includes(self, client: httpx2.Client, png: bytes) -> None:
        answer = client.post("/retarget?include=landmarks,blendshapes", content=png, headers=PNG)
        (face,) = answer.json()["faces"]
        assert np.array(face["landmarks"]).shape == (68, 2)
        assert len(face["blendshapes"]) == 52
        assert face["blendshapes"]["eyeBlinkLeft"] == face["expression"]["eyeBlink_L"]
        for name in ("landmarks", "blendshapes"):
            (face,) = client.post("/retarget", params={"include": name}, content=png, headers=PNG).json()["faces"]
            assert [member for member in face if member in ("landmarks", "blendshapes")] == [name]

    def test_identity_is_left_out_where_excluded(self, client: httpx2.Client, png: bytes) -> None:
        (whole,) = client.post("/retarget", content=png, headers=PNG).json()["faces"]
        (face,) = client.post("/retarget?exclude=identity", content=png, headers=PNG).json()["faces"]
        assert len(whole.pop("identity")) == 50
        assert face == whole

    def test_refine(self, client: httpx2.Client, png: bytes) -> None:
        (face,) = client.post("/retarget?refine=true", content=png, headers=PNG).json()["faces"]
        # 0.15 of the first tiny network's -1, 0.85 of the second one's 2
        assert face["identity"][0] == pytest.approx(1.55)
        assert face["box"] == THE_BOX

    def test_gaze_is_there_with_a_second_look_alone(self, client: httpx2.Client, png: bytes) -> None:
        """And an answer with blendshapes says what was not seen for them."""
        query = "/retarget?include=blendshapes"
        plain = client.post(query, content=png, headers=PNG).json()
        refined = client.post(f"{query}&refine=true", content=png, headers=PNG).json()
        (face,) = plain["faces"]
        assert "gaze" not in face
        assert plain["unobserved_arkit"] == list(WITHOUT_GAZE)
        assert {face["blendshapes"][name] for name in plain["unobserved_arkit"]} == {0}
        assert face["blendshapes"]["eyeLookDownLeft"] == face["expression"]["eyeLookDown"]
        (face,) = refined["faces"]
        assert tuple(face["gaze"]) == GAZE_NAMES
        assert list(face["gaze"].values()) == pytest.approx(1 / (1 + np.exp(-GAZE_LOGIT)), abs=1e-5)
        assert {name: face["blendshapes"][name] for name in GAZE_NAMES} == face["gaze"]
        assert face["expression"]["eyeLookDown"] != face["gaze"]["eyeLookDownLeft"]
        assert refined["unobserved_arkit"] == ["tongueOut"]

    def test_who_does_not_ask_for_blendshapes_is_not_told_of_them(self, client: httpx2.Client, png: bytes) -> None:
        document = client.post("/retarget?refine=true&include=landmarks", content=png, headers=PNG).json()
        assert list(document) == ["model", "image", "timing_ms", "faces"]
        assert list(document["faces"][0]) == ["score", "box", "pose", "identity", "expression", "gaze", "landmarks"]

    def test_models_without_gaze(
        self, serve: Serve, models_without_gaze: Models, settings: Settings, workers: Workers, png: bytes
    ) -> None:
        """Those before 0.6, after a second look, too."""
        client = serve(RestApp(ServerState(settings, Pipeline(models_without_gaze, settings), workers)))
        answer = client.post("/retarget?refine=true&include=blendshapes", content=png, headers=PNG).json()
        model = client.get("/model").json()
        assert "gaze" not in answer["faces"][0]
        assert answer["unobserved_arkit"] == model["unobserved_arkit"] == list(WITHOUT_GAZE)
        assert model["gaze_names"] == []

    def test_no_face_is_an_empty_list(self, client: httpx2.Client) -> None:
        answer = client.post("/retarget?refine=true", content=encoded(Image.new("RGB", (9, 9)), "PNG"), headers=PNG)
        assert (answer.status_code, answer.json()["faces"]) == (200, [])

    def test_one_pixel(self, client: httpx2.Client) -> None:
        answer = client.post("/retarget", content=encoded(Image.new("L", (1, 1)), "PNG"), headers=PNG)
        assert (answer.status_code, answer.json()["image"]) == (200, {"width": 1, "height": 1})

    def test_faces_descend_in_score_and_are_bounded(self, client: httpx2.Client) -> None:
        pixels = np.full((96, 96, 3), 20, np.uint8)
        for i, brightness in enumerate((201, 203, 202)):
            pixels[16:32, 32 * i : 32 * i + 16] = brightness
        data = encoded(Image.fromarray(pixels), "PNG")
        scores = [face["score"] for face in client.post("/retarget", content=data, headers=PNG).json()["faces"]]
        np.testing.assert_allclose(scores, [0.95257, 0.88080, 0.73106], atol=1e-3)
        for query, count in (("max_faces=1", 1), ("max_faces=2", 2), ("min_score=0.9", 1), ("min_score=0.01", 3)):
            assert len(client.post(f"/retarget?{query}", content=data, headers=PNG).json()["faces"]) == count


class TestOtherPaths:
    def test_model(self, client: httpx2.Client) -> None:
        document = client.get("/model").json()
        assert (document["name"], document["version"]) == ("mfn", "9.9.9")
        assert len(document["expression_names"]) == 46
        assert len(document["arkit_names"]) == 52
        assert document["gaze_names"] == list(GAZE_NAMES)
        assert document["unobserved_arkit"] == ["tongueOut"]
        assert document["accuracy"] == {"multi_val": {"AP50": 12.5}}
        assert document["precision"] == "int8"
        assert document["networks"]["mfn"]["file"] == "mfn.int8.onnx"
        assert document["input_sizes"] == [96, 192]

    def test_health(self, client: httpx2.Client) -> None:
        assert client.get("/livez").json() == {"status": "alive"}
        assert client.get("/readyz").json() == {"status": "ready"}

    def test_docs(self, client: httpx2.Client) -> None:
        """The page needs nothing from elsewhere: it works on a machine without a network."""
        page = client.get("/docs")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "openapi.json" in page.text
        assert "//" not in page.text

    def test_openapi_describes_bodies_answer_and_problems(self, client: httpx2.Client) -> None:
        operation = client.get("/openapi.json").json()["paths"]["/retarget"]["post"]
        assert set(operation["requestBody"]["content"]) == {
            "image/jpeg", "image/png", "image/webp", "image/avif", "application/octet-stream", "multipart/form-data",
            "application/json",
        }  # fmt: skip
        assert {parameter["name"] for parameter in operation["parameters"]} == {
            "min_score", "max_faces", "include", "exclude", "refine", "tiles", "input_size",
        }  # fmt: skip
        (size,) = (p["schema"] for p in operation["parameters"] if p["name"] == "input_size")
        assert (size["enum"], size["default"]) == ([96, 192], 96)
        assert set(operation["responses"]) == {"200", "400", "401", "408", "413", "415", "422", "429", "503", "504"}
        for status, response in operation["responses"].items():
            kind = "application/json" if status == "200" else "application/problem+json"
            assert list(response["content"]) == [kind], status

    def test_unknown_path_and_method(self, client: httpx2.Client) -> None:
        assert is_problem(client.get("/nothing"), 404, "/nothing", "/docs")
        assert is_problem(client.get("/retarget/stream"), 404, "Upgrade: websocket", "proxy")
        answer = client.get("/retarget")
        assert is_problem(answer, 405, "GET /retarget")
        assert answer.headers["allow"] == "POST"
        assert is_problem(client.post("/nothing", content=bytes(100_000)), 404)


def test_the_client_is_logged_as_a_trusted_proxy_names_it(
    client: httpx2.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The line is written once the answer is out."""

    def clients() -> list[str]:
        fields = [getattr(line, "fields", {}) for line in caplog.records]
        return [line["client"] for line in fields if line.get("request_id") == "behind-proxies"]

    with caplog.at_level(logging.INFO, "mfn.requests"):
        headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Request-Id": "behind-proxies"}
        client.get("/livez", headers=headers)
        end = time.monotonic() + 20
        while not clients() and time.monotonic() < end:
            time.sleep(0.01)
    assert clients() == ["198.51.100.7"]


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("min_score=0", ["min_score is 0;", "0.01 to 1"]),
            ("min_score=1.01", ["min_score is 1.01;", "0.01 to 1"]),
            ("min_score=nan", ["min_score"]),
            ("min_score=inf", ["min_score"]),
            ("min_score=high", ["min_score", "'high'", "number"]),
            ("min_score=", ["min_score"]),
            ("max_faces=0", ["max_faces is 0;", "1 to 100"]),
            ("max_faces=101", ["max_faces is 101;", "1 to 100"]),
            ("max_faces=2.5", ["max_faces", "2.5", "integer"]),
            ("max_faces=" + "9" * 5000, ["max_faces"]),
            ("refine=perhaps", ["refine", "perhaps"]),
            ("tiles=0", ["tiles is 0;", "1 to 4"]),
            ("tiles=5", ["tiles is 5;", "1 to 4"]),
            ("tiles=2.5", ["tiles", "2.5", "integer"]),
            ("input_size=288", ["input_size is 288", "96 or 192"]),
            ("input_size=large", ["input_size", "'large'", "integer"]),
            ("include=mesh", ["include", "mesh", "landmarks or blendshapes"]),
            ("include=landmarks,mesh", ["include", "mesh"]),
            ("exclude=pose", ["exclude", "pose", "expected identity."]),
            ("minscore=0.5", ["no parameter 'minscore'", "include, exclude, refine, tiles, input_size"]),
            ("min_score=0.5&min_score=0.6", ["min_score", "more than once"]),
        ],
    )
    def test_out_of_range_or_unknown(self, client: httpx2.Client, png: bytes, query: str, words: list[str]) -> None:
        answer = client.post(f"/retarget?{query}", content=png, headers=PNG)
        assert is_problem(answer, 422, *words)
        assert len(answer.json()["detail"]) < 400

    @pytest.mark.parametrize(
        "query",
        [
            "min_score=0.01",
            "min_score=1",
            "max_faces=1",
            "max_faces=100",
            "refine=1",
            "tiles=1",
            "tiles=4",
            "input_size=192",
        ],
    )
    def test_ends_of_the_ranges(self, client: httpx2.Client, png: bytes, query: str) -> None:
        assert client.post(f"/retarget?{query}", content=png, headers=PNG).status_code == 200


def test_tiles_show_smaller_faces(client: httpx2.Client) -> None:
    """A fifth of a cell of the whole picture, a cell of the middle one of nine tiles."""
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[83:97, 83:97] = 255
    picture = encoded(Image.fromarray(pixels), "PNG")
    counts = [
        len(client.post(f"/retarget?tiles={tiles}", content=picture, headers=PNG).json()["faces"]) for tiles in (1, 3)
    ]
    assert counts == [0, 1]


def test_a_larger_input_shows_smaller_faces(client: httpx2.Client) -> None:
    """A quarter of a cell at 96, a cell at 192."""
    pixels = np.full((192, 192, 3), 20, np.uint8)
    pixels[96:112, 96:112] = 255
    picture = encoded(Image.fromarray(pixels), "PNG")
    answers = [client.post(f"/retarget?input_size={size}", content=picture, headers=PNG).json() for size in (96, 192)]
    assert [len(answer["faces"]) for answer in answers] == [0, 1]


def bomb() -> bytes:
    """A PNG of 40,000 x 40,000 pixels in some 200 KB."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(5001 * 40_000), 1)), (b"IEND", b""))
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


class TestBadPictures:
    """Each is answered with its code and a sentence, and the next picture as if nothing had happened."""

    @pytest.fixture(autouse=True)
    def _next_request_is_served(self, client: httpx2.Client, png: bytes) -> Iterator[None]:
        yield
        assert box(client.post("/retarget", content=png, headers=PNG)) == THE_BOX

    def test_zero_bytes(self, client: httpx2.Client) -> None:
        assert is_problem(client.post("/retarget", content=b"", headers=PNG), 400, "0 bytes", "Send")

    def test_text(self, client: httpx2.Client) -> None:
        assert is_problem(client.post("/retarget", content=b"Hello.", headers=JPEG), 400, "JPEG, PNG, WebP or AVIF")

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_truncated(self, client: httpx2.Client, kind: str) -> None:
        data = encoded(Image.effect_noise((99, 99), 50), kind)
        assert is_problem(client.post("/retarget", content=data[:-500], headers=PNG), 400, "complete")

    def test_corrupt(self, client: httpx2.Client, png: bytes) -> None:
        middle = png.index(b"IDAT") + 20
        spoiled = png[:middle] + bytes(40) + png[middle + 40 :]
        assert is_problem(client.post("/retarget", content=spoiled, headers=PNG), 400, "corrupt", "Send")

    def test_too_many_pixels(self, client: httpx2.Client) -> None:
        answer = client.post("/retarget", content=bomb(), headers=PNG)
        assert is_problem(answer, 413, "40000 x 40000", "4 are allowed", "Scale it down")

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_animated(self, client: httpx2.Client, kind: str) -> None:
        assert is_problem(client.post("/retarget", content=animation(kind), headers=PNG), 400, "single frame")

    @pytest.mark.parametrize("kind", ["GIF", "TIFF"])
    def test_formats_of_many_frames(self, client: httpx2.Client, kind: str) -> None:
        data = animation(kind)
        headers = {"Content-Type": f"image/{kind.lower()}"}
        assert is_problem(client.post("/retarget", content=data, headers=headers), 400, "JPEG, PNG, WebP or AVIF")
        assert is_problem(client.post("/retarget", content=data, headers=PNG), 400, "JPEG, PNG, WebP or AVIF")

    @pytest.mark.parametrize("kind", ["text/html", "application/pdf", "video/mp4", "multipart/mixed; boundary=b"])
    def test_media_types_of_something_else(self, client: httpx2.Client, png: bytes, kind: str) -> None:
        name = kind.partition(";")[0]
        answer = client.post("/retarget", content=png, headers={"Content-Type": kind})
        assert is_problem(answer, 415, repr(name), "Send", "image/jpeg")
        assert "accept-encoding" not in answer.headers
        answer = client.post("/retarget", files={"image": ("a", png, name)})
        assert is_problem(answer, 415, repr(name), 'part "image"', "octet-stream")

    def test_what_curl_makes_of_a_picture(self, client: httpx2.Client, png: bytes, photo: Image.Image) -> None:
        """curl -d drops line breaks and null bytes of a file; of text it keeps all."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        drop = bytes.maketrans(b"", b"")
        for data in (png, encoded(photo, "JPEG"), b"image=@photo.jpg"):
            answer = client.post("/retarget", content=data.translate(drop, b"\r\n\0"), headers=headers)
            assert is_problem(answer, 415, "curl -d", "--data-binary", "Content-Type: image/jpeg", "-F image=@")

    @pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br"])
    def test_codings_that_are_not_supported(self, client: httpx2.Client, png: bytes, coding: str) -> None:
        answer = client.post("/retarget", content=png, headers=PNG | {"Content-Encoding": coding})
        assert is_problem(answer, 415, repr(coding.split()[-1]), "gzip and deflate", "without the header")
        assert answer.json()["type"] == "urn:problem-type:mfn:unsupported-encoding"
        assert answer.headers["accept-encoding"] == "gzip, deflate"

    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    def test_codings_that_are_not_what_they_say(
        self, client: httpx2.Client, settings: Settings, png: bytes, coding: str
    ) -> None:
        headers = PNG | {"Content-Encoding": coding}
        encode = ENCODERS[coding]
        assert is_problem(client.post("/retarget", content=png, headers=headers), 400, coding, "without the header")
        assert is_problem(client.post("/retarget", content=encode(png)[:-1], headers=headers), 400, coding, "Send all")
        for kind in ("image/png", "application/json", "multipart/form-data; boundary=b"):
            bomb = client.post(
                "/retarget", content=encode(bytes(9 * settings.max_bytes)), headers=headers | {"Content-Type": kind}
            )
            assert is_problem(bomb, 413, str(settings.max_bytes))

    @pytest.mark.parametrize("beyond", [1, 5 * 2**20])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_too_many_bytes(self, client: httpx2.Client, settings: Settings, beyond: int, chunked: bool) -> None:
        data = bytes(settings.max_bytes + beyond)
        content: Any = (data[i : i + 50_000] for i in range(0, len(data), 50_000)) if chunked else data
        answer = client.post("/retarget", content=content, headers=PNG)
        assert is_problem(answer, 413, str(settings.max_bytes), "Scale it down")

    def test_too_many_bytes_in_an_envelope(self, client: httpx2.Client, settings: Settings) -> None:
        data = bytes(settings.max_bytes + 1)
        assert is_problem(client.post("/retarget", files={"image": data}), 413)
        assert is_problem(client.post("/retarget", json={"image": base64.b64encode(data).decode()}), 413)
        # and as many as are allowed are looked at
        assert is_problem(client.post("/retarget", files={"image": data[1:]}), 400)
        assert is_problem(client.post("/retarget", json={"image": base64.b64encode(data[1:]).decode()}), 400)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b'"image"',
            b"{}",
            b'{"image": null}',
            b'{"image": 7}',
            b'{"image": {"image": ""}}',
            b'{"picture": ""}',
            b'{"image": "", "refine": true}',
            b"[" * 100_000,
            b"[" * 30,
            b'{"image":' * 20,
            b'{"image": "' + b"\xff" * 9 + b'"}',
            b'{"image": "data:image/png,AAAA"}',
            b'{"image": "not base64"}',
            b'{"image": "AAAAA"}',
            b'{"image": "A\\u00e9=="}',
            b'{"image": "\\ud800"}',
        ],
    )
    def test_json_without_a_picture(self, client: httpx2.Client, body: bytes) -> None:
        assert is_problem(client.post("/retarget", content=body, headers=JSON), 400, "base64")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"no boundary at all",
            b"--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc',
            b'--b\r\nContent-Disposition: form-data; name="photo"\r\n\r\nabc\r\n--b--\r\n',
            b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc\r\n' * 2 + b"--b--\r\n",
            b"--b\r\n\r\nabc\r\n--b--\r\n",
            b"--b\r\nBad Header\r\n\r\nabc\r\n--b--\r\n",
            b"--b\r\nX: " + b"y" * 100_000 + b"\r\n\r\nabc\r\n--b--\r\n",
            b"--b\r\n\r\n\r\n" * 1000 + b"--b--\r\n",
        ],
    )
    def test_form_without_a_picture(self, client: httpx2.Client, body: bytes) -> None:
        assert is_problem(client.post("/retarget", content=body, headers=FORM), 400, "image=@photo.jpg")

    def test_form_without_a_boundary(self, client: httpx2.Client) -> None:
        headers = {"Content-Type": "multipart/form-data"}
        assert is_problem(client.post("/retarget", content=b"x", headers=headers), 400, "boundary")

    def test_form_with_an_endless_boundary(self, client: httpx2.Client) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=" + "b" * 9000}
        assert is_problem(client.post("/retarget", content=b"x", headers=headers), 400)


class SlowPipeline(Pipeline):
    """Finishes no picture before it is let."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.models, pipeline.settings)
        self.let = threading.Event()

    def retarget_source(self, source: ImageLoader, options: RetargetOptions, queue_ms: float = 0.0) -> RetargetResult:
        assert self.let.wait(20)
        return super().retarget_source(source, options, queue_ms)


class TestLoad:
    def test_full_queue_is_429(self, serve: Serve, settings: Settings, pipeline: Pipeline, png: bytes) -> None:
        slow, workers = SlowPipeline(pipeline), Workers(1, 1)
        client = serve(RestApp(ServerState(settings, slow, workers)))
        answers: SimpleQueue[httpx2.Response] = SimpleQueue()
        senders = [
            threading.Thread(target=lambda: answers.put(client.post("/retarget", content=png, headers=PNG)))
            for _ in range(3)  # one works, one waits, one is too many
        ]
        for sender in senders:
            sender.start()
        refused = answers.get(timeout=10)
        assert is_problem(refused, 429, "All 2 places", "later")
        assert int(refused.headers["retry-after"]) >= 1
        slow.let.set()
        assert [answers.get(timeout=10).status_code for _ in range(2)] == [200, 200]
        assert box(client.post("/retarget", content=png, headers=PNG)) == THE_BOX
        workers.close()

    @pytest.mark.parametrize("path", ["/retarget", "/v1/models/mfn:predict", "/v2/models/mfn/infer"])
    def test_full_queue_refuses_a_picture_before_it_is_sent(
        self, serve: Serve, settings: Settings, pipeline: Pipeline, path: str
    ) -> None:
        let, workers = threading.Event(), Workers(1, 0)
        held = workers.submit(lambda: let.wait(20))
        client = serve(RestApp(ServerState(settings, pipeline, workers)))
        connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=20)
        connection.putrequest("POST", path)
        for name, value in {"Content-Type": "image/png", "Content-Length": "1000", "Expect": "100-continue"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 429
        connection.close()
        let.set()
        assert held.result(20)
        workers.close()

    def test_passed_deadline_is_504(self, serve: Serve, settings: Settings, pipeline: Pipeline, png: bytes) -> None:
        slow, workers = SlowPipeline(pipeline), Workers(1, 1)
        client = serve(RestApp(ServerState(replace(settings, deadline_seconds=0.1), slow, workers)))
        assert is_problem(client.post("/retarget", content=png, headers=PNG), 504, "0.1 s", "smaller")
        slow.let.set()
        workers.close()

    def test_a_sender_who_stalls_is_408(
        self, serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers
    ) -> None:
        client = serve(RestApp(ServerState(replace(settings, upload_grace_seconds=0.1), pipeline, workers)))
        done = threading.Event()

        def stalling() -> Iterator[bytes]:
            yield b"\x89PNG"
            done.wait(0.5)

        answer = client.post("/retarget", content=stalling(), headers=PNG)
        assert is_problem(answer, 408, "too slowly", "MFN_MIN_UPLOAD_RATE", "faster line")
        done.set()

    def test_a_slow_upload_has_nothing_of_the_deadline(
        self, serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers, png: bytes
    ) -> None:
        hasty = replace(settings, deadline_seconds=0.2, upload_grace_seconds=0.3, min_upload_rate=1)
        client = serve(RestApp(ServerState(hasty, pipeline, workers)))
        begin = time.monotonic()

        def slow() -> Iterator[bytes]:
            for start in range(0, len(png), 1 + len(png) // 5):
                yield png[start : start + 1 + len(png) // 5]
                time.sleep(0.1)

        assert box(client.post("/retarget", content=slow(), headers=PNG)) == THE_BOX
        assert time.monotonic() - begin > 2 * hasty.deadline_seconds

    def test_draining_is_503(
        self, serve: Serve, settings: Settings, pipeline: Pipeline, workers: Workers, png: bytes
    ) -> None:
        state = ServerState(settings, pipeline, workers)
        client = serve(RestApp(state))
        state.draining.set()
        assert is_problem(client.post("/retarget", content=png, headers=PNG), 503, "shutting down")
        assert is_problem(client.get("/readyz"), 503)
        assert client.get("/livez").status_code == 200

    def test_a_failure_of_ours_is_500_without_its_innards(
        self,
        serve: Serve,
        settings: Settings,
        pipeline: Pipeline,
        workers: Workers,
        png: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def failing(*_: Any) -> RetargetResult:
            raise ZeroDivisionError("innards")

        broken = Pipeline(pipeline.models, settings)
        monkeypatch.setattr(broken, "retarget_source", failing)
        state = ServerState(settings, broken, workers)
        client = serve(RestApp(state))
        answer = client.post("/retarget", content=png, headers=PNG)
        assert is_problem(answer, 500, "log")
        assert "innards" not in answer.text

    @pytest.mark.parametrize("error", [MemoryError(), RuntimeError("Failed to allocate memory for requested buffer")])
    def test_no_memory_left_is_503_and_the_next_is_served(
        self,
        serve: Serve,
        settings: Settings,
        pipeline: Pipeline,
        workers: Workers,
        png: bytes,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
    ) -> None:
        def failing(*_: Any) -> RetargetResult:
            raise error

        state = ServerState(settings, Pipeline(pipeline.models, settings), workers)
        client = serve(RestApp(state))
        with monkeypatch.context() as broken:
            broken.setattr(state.pipeline, "retarget_source", failing)
            answer = client.post("/retarget", content=png, headers=PNG)
        assert is_problem(answer, 503, "no memory left", "smaller picture")
        assert answer.json()["type"] == "urn:problem-type:mfn:no-memory"
        assert answer.headers["retry-after"] == "1"
        assert box(client.post("/retarget", content=png, headers=PNG)) == THE_BOX
        labels = 'code="503",method="POST /retarget",transport="http"'
        assert f"mfn_request_duration_seconds_count{{{labels}}} 1.0" in state.metrics.exposition().decode()

    def test_many_at_once_each_get_their_own(self, client: httpx2.Client, photo: Image.Image) -> None:
        pictures = {size: encoded(photo.resize((size, size)), "PNG") for size in range(60, 68)}
        seen: dict[int, int] = {}

        def send(size: int) -> None:
            answer = client.post("/retarget", content=pictures[size], headers=PNG)
            while answer.status_code == 429:
                answer = client.post("/retarget", content=pictures[size], headers=PNG)
            seen[size] = answer.json()["image"]["width"]

        senders = [threading.Thread(target=send, args=(size,)) for size in pictures]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(20)
        assert seen == {size: size for size in pictures}
