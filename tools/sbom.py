"""Writes what the image holds as a CycloneDX bill of materials: `python -m tools.sbom FOLDER [LOCK]`.

FOLDER gets mfn.cdx.json. Its components are the packages of requirements/LOCK.txt (by default serve) that are installed
on Linux, the client, and the models that are served, with their checksums. What the image's base holds is its maker's
to tell.
"""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from service import __version__
from service.inference.manifest import MANIFEST, Manifest, read_manifest

ROOT: Final = Path(__file__).resolve().parent.parent
SERVED_FORMS: Final = ("float32.onnx", "int8.onnx")
LINUX: Final = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def main(folder: Path, lock: str = "serve") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    locked = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    manifest = read_manifest(ROOT / "models" / MANIFEST)
    text = json.dumps(bill_of_materials(installed_on_linux(locked), manifest), indent=2)
    (folder / "mfn.cdx.json").write_text(f"{text}\n", encoding="utf-8")


def installed_on_linux(lock: str) -> str:
    """The lock file's requirements whose markers hold for Linux and the oldest Python that is supported."""
    return "\n".join(block for block in requirements_of(lock) if holds(block))


def requirements_of(lock: str) -> Iterator[str]:
    """Each requirement with its hashes, comments left out."""
    lines = "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#"))
    for block in lines.replace("\\\n", " ").splitlines():
        if block.strip():
            yield block


def holds(block: str) -> bool:
    marker = Requirement(block.partition("--hash")[0]).marker
    return marker is None or marker.evaluate(LINUX)


def bill_of_materials(requirements: str, manifest: Manifest) -> dict[str, Any]:
    """requirements: lines as pip reads them, with hashes."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "-", "--output-format", "JSON"]
    done = subprocess.run(
        [*command, "--output-reproducible"], input=requirements, capture_output=True, text=True, check=True
    )
    bill: dict[str, Any] = json.load(io.StringIO(done.stdout))
    bill["metadata"]["component"] = {
        "type": "application",
        "bom-ref": "mfn",
        "name": "mfn",
        "version": __version__,
        "purl": f"pkg:pypi/mfn-retarget@{__version__}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    bill["components"] += [client(), *models(manifest)]
    return bill


def client() -> dict[str, Any]:
    name = "mfn-retarget-client"
    return {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": __version__,
        "purl": f"pkg:pypi/{name}@{__version__}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }


def models(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """The face model, and each network in each form that is served."""
    networks = (manifest.networks.mfn, manifest.networks.sfn)
    served = [network.forms[form] for network in networks for form in SERVED_FORMS]
    for file, license_id in [(manifest.face_model, "MIT"), *((file, "Apache-2.0") for file in served)]:
        yield {
            "type": "machine-learning-model",
            "bom-ref": file.file,
            "name": file.file,
            "version": manifest.version,
            "hashes": [{"alg": "SHA-256", "content": file.sha256}],
            "licenses": [{"license": {"id": license_id}}],
        }


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
