import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from service import __version__
from tools import sbom

ROOT = Path(__file__).resolve().parents[2]
HASH = "0" * 64
DIGEST = "ab" * 32
WHEELS = {
    "mfn-retarget": f"mfn_retarget-{__version__}-py3-none-any.whl",
    "mfn-retarget-client": f"mfn_retarget_client-{__version__}-py3-none-any.whl",
}


def sha256(data: bytes) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    for name in WHEELS.values():
        (folder / name).write_bytes(name.encode())
    sbom.main(folder)
    return folder


def bill(folder: Path, name: str) -> Any:
    text = (folder / name).read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    return document


def components(document: Any) -> dict[str, Any]:
    return {component["name"]: component for component in document["components"]}


def of_registry(document: Any, name: str) -> dict[str, Any]:
    """Packages of two registries may have one name."""
    listed = [entry for entry in document["components"] if entry.get("purl", "").startswith(f"pkg:{name}/")]
    return {entry["name"]: entry for entry in listed}


def described(document: Any) -> tuple[str, str, str]:
    component = document["metadata"]["component"]
    return component["type"], component["name"], component["version"]


def test_they_describe_the_image_and_the_models(dist: Path) -> None:
    version = json.loads((ROOT / "models/manifest.json").read_text(encoding="utf-8"))["version"]
    assert described(bill(dist, "mfn.cdx.json")) == ("container", "mfn", __version__)
    assert described(bill(dist, "models.cdx.json")) == ("machine-learning-model", "mfn-models", version)


def test_the_image_has_every_package_that_is_installed(dist: Path) -> None:
    found = of_registry(bill(dist, "mfn.cdx.json"), "pypi")
    named = {name: entry for name, entry in found.items() if name not in WHEELS}
    lines = (ROOT / "requirements/serve.txt").read_text(encoding="utf-8").splitlines()
    pins = {line.split()[0] for line in lines if re.match(r"\w", line) and ">= '3.12'" not in line}
    assert {f"{name}=={entry['version']}" for name, entry in named.items()} == pins
    for name, entry in named.items():
        assert entry["purl"] == f"pkg:pypi/{name}@{entry['version']}"


def test_the_image_has_what_the_page_is_built_from(dist: Path) -> None:
    document = bill(dist, "mfn.cdx.json")
    found = {entry["purl"]: entry for entry in of_registry(document, "npm").values()}
    locked = json.loads((ROOT / "studio/package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name in json.loads((ROOT / "studio/package.json").read_text(encoding="utf-8"))["dependencies"]:
        version, integrity = (locked[f"node_modules/{name}"][field] for field in ("version", "integrity"))
        entry = found[f"pkg:npm/{name.replace('@', '%40')}@{version}"]
        assert [licence["expression"] for licence in entry["licenses"]] == ["MIT"]
        (digest,) = entry["hashes"]
        assert base64.b64encode(bytes.fromhex(digest["content"])).decode() == integrity.removeprefix("sha512-")
    assert not {"vite", "typescript", "vitest"} & components(document).keys()  # what only its making needs


@pytest.mark.parametrize("name", WHEELS)
def test_the_image_has_both_wheels(dist: Path, name: str) -> None:
    entry = components(bill(dist, "mfn.cdx.json"))[name]
    assert (entry["version"], entry["hashes"]) == (__version__, sha256(WHEELS[name].encode()))


def test_models_have_the_checksums_of_the_files(dist: Path) -> None:
    served = {path.name for pattern in ("*.onnx", "face_model.npz") for path in (ROOT / "models").glob(pattern)}
    image, models = components(bill(dist, "mfn.cdx.json")), components(bill(dist, "models.cdx.json"))
    files = {name: entry for name, entry in image.items() if name.startswith("models/")}
    assert files.keys() == {f"models/{name}" for name in served | {"manifest.json"}}
    assert files.items() <= models.items()
    assert {"models/mfn.int8.tflite", "models/weights/mfn.npz", "models/weights/sfn.npz"} <= models.keys()
    for name, entry in models.items():
        assert entry["hashes"] == sha256((ROOT / name).read_bytes())
    assert models["models/weights/mfn.npz"]["type"] == "machine-learning-model"
    assert models["models/face_model.npz"]["type"] == "data"


def test_the_image_with_traces_has_their_packages(dist: Path, tmp_path: Path) -> None:
    for name in WHEELS.values():
        (tmp_path / name).write_bytes(b"")
    sbom.main(tmp_path, "telemetry", f"python:3.11-slim@sha256:{DIGEST}")
    found = components(bill(tmp_path, "mfn.cdx.json"))
    assert "opentelemetry-sdk" in found
    assert "opentelemetry-sdk" not in components(bill(dist, "mfn.cdx.json"))
    assert (found["python"]["type"], found["python"]["version"]) == ("container", "3.11-slim")
    assert found["python"]["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]


def test_no_address_of_an_index_and_no_path_of_the_machine(dist: Path) -> None:
    for path in dist.glob("*.cdx.json"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\w+://[^\"]+", text)) == {"http://cyclonedx.org/schema/bom-1.6.schema.json"}
        assert str(ROOT) not in text
        assert str(dist) not in text


def test_the_same_is_written_again(dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WHEELS.values():
        (tmp_path / name).write_bytes(name.encode())
    sbom.main(tmp_path)
    first = (tmp_path / "mfn.cdx.json").read_bytes()
    assert first == (dist / "mfn.cdx.json").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    sbom.main(tmp_path)
    later = bill(tmp_path, "mfn.cdx.json")
    assert later["metadata"]["timestamp"] == "1970-01-02T00:00:00+00:00"
    assert later["serialNumber"] != json.loads(first)["serialNumber"]


def test_there_must_be_wheels(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make wheels"):
        sbom.main(tmp_path)


@pytest.mark.parametrize("base", ["python", "python:3", "python:3@sha256:12", f"python@sha256:{DIGEST}"])
def test_a_base_without_its_digest_is_refused(base: str) -> None:
    with pytest.raises(SystemExit, match="expected NAME:TAG@sha256:DIGEST"):
        sbom.base_image(base)


def test_what_other_systems_need_is_left_out() -> None:
    lock = f"""# made by a program
a==1 \\
    --hash=sha256:{HASH} \\
    --hash=sha256:{DIGEST}
    # via b
b==2 ; sys_platform == 'win32' \\
    --hash=sha256:{HASH}
c==3 ; python_full_version < '3.12' \\
    --hash=sha256:{HASH}
"""
    found = sbom.packages(lock)
    assert [(component.name, component.version) for component in found] == [("a", "1"), ("c", "3")]
    (files,) = found[0].external_references
    assert {entry.content for entry in files.hashes} == {HASH, DIGEST}
