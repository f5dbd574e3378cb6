import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from service import __version__
from tools import provenance

ROOT = Path(__file__).resolve().parents[2]
COMMIT = {"uri": "git+file:.", "digest": {"gitCommit": "1" * 40}}
DIGEST = "ab" * 32
BASE = "cd" * 32


@pytest.fixture(autouse=True)
def clean_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "committed", lambda: COMMIT)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "mfn_retarget-1-py3-none-any.whl").write_bytes(b"a wheel")
    return tmp_path


def written(path: Path) -> Any:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    build = document["predicate"]["buildDefinition"]
    assert build["resolvedDependencies"][0] == COMMIT
    assert build["externalParameters"]["version"] == __version__
    assert re.fullmatch(r"urn:.+|https://.+", document["predicate"]["runDetails"]["builder"]["id"])
    return document


def digests(resources: list[dict[str, Any]]) -> dict[str, str]:
    return {entry["name"]: entry["digest"]["sha256"] for entry in resources if "name" in entry}


def file_digest(name: str) -> str:
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def test_models_and_what_they_were_made_from(dist: Path) -> None:
    provenance.main(dist)
    document = written(dist / "models.intoto.json")
    made = digests(document["subject"])
    assert {"face_model.npz", "mfn.int8.onnx", "sfn.float32.onnx", "mfn.int8.tflite"} <= made.keys()
    used = digests(document["predicate"]["buildDefinition"]["resolvedDependencies"])
    assert used.pop("requirements/training.txt") == file_digest("requirements/training.txt")
    assert {"weights/mfn.npz", "weights/sfn.npz", "calibration.npz"} <= used.keys()
    for name, digest in {**made, **used}.items():
        assert digest == hashlib.sha256((ROOT / "models" / name).read_bytes()).hexdigest()


def test_wheels_and_the_image(dist: Path) -> None:
    provenance.main(dist, f"registry.example/mfn@sha256:{DIGEST}", f"python:3.11-slim@sha256:{BASE}")
    document = written(dist / "release.intoto.json")
    assert digests(document["subject"]) == {
        "mfn_retarget-1-py3-none-any.whl": hashlib.sha256(b"a wheel").hexdigest(),
        "registry.example/mfn": DIGEST,
    }
    used = digests(document["predicate"]["buildDefinition"]["resolvedDependencies"])
    assert used.pop("python:3.11-slim") == BASE
    locks = {f"requirements/{name}.txt" for name in ("build", "serve", "telemetry")}
    weights = {f"models/weights/{name}.npz" for name in ("mfn", "sfn")}
    assert used == {name: file_digest(name) for name in {"Dockerfile", "models/manifest.json", *locks, *weights}}


@pytest.mark.parametrize("name", ["models", "release"])
def test_the_fields_are_those_that_slsa_asks_for(dist: Path, name: str) -> None:
    """https://slsa.dev/spec/v1.0/provenance: what is required at any level, and the form of what is there."""
    provenance.main(dist)
    document = written(dist / f"{name}.intoto.json")
    assert document.keys() == {"_type", "subject", "predicateType", "predicate"}
    assert document["predicate"].keys() == {"buildDefinition", "runDetails"}
    build, run = document["predicate"]["buildDefinition"], document["predicate"]["runDetails"]
    fields = {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"}
    assert build.keys() == fields
    assert re.fullmatch(r"\w+:.+", build["buildType"])
    assert run.keys() == {"builder", "metadata"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run["metadata"]["finishedOn"])
    for subject in document["subject"]:
        assert subject.keys() == {"name", "digest"}
        assert re.fullmatch("[0-9a-f]{64}", subject["digest"]["sha256"])
    for resource in build["resolvedDependencies"]:
        assert resource["digest"]
        assert {"name", "uri"} & resource.keys()


@pytest.mark.parametrize("image", ["mfn", "mfn:1", "mfn@sha256:12"])
def test_an_image_without_its_digest_is_refused(dist: Path, image: str) -> None:
    with pytest.raises(SystemExit, match="expected NAME@sha256:DIGEST"):
        provenance.main(dist, image)


def test_there_must_be_wheels(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make wheels"):
        provenance.main(tmp_path)


def test_a_model_that_is_not_the_manifests_is_refused(tmp_path: Path) -> None:
    shutil.copy(ROOT / "models/manifest.json", tmp_path)
    (tmp_path / "mfn.int8.onnx").write_bytes(b"another")
    with pytest.raises(SystemExit, match=r"mfn\.int8\.onnx is not the file of the manifest"):
        provenance.published_models(tmp_path)
