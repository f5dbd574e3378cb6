"""Writes bills of materials in CycloneDX 1.6: `python -m tools.sbom FOLDER`, after `make wheels`.

FOLDER holds the wheels, and gets mfn.cdx.json of the image: the packages of requirements/LOCK.txt that it installs, the
server and the client, the packages of npm that the Studio's page is built from, and the models that they serve; and
models.cdx.json of the models in every form, with the weights they are made from. What the image's base holds is its
maker's to tell. The same commit and wheels give the same bytes.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from service import __version__
from service.inference.manifest import MANIFEST, read_manifest

ROOT: Final = Path(__file__).resolve().parent.parent
MODELS: Final = ROOT / "models"
DISTRIBUTIONS: Final = ("mfn-retarget", "mfn-retarget-client")
NPM_HASHES: Final = {"sha512": HashAlgorithm.SHA_512}  # of the field `integrity`
LINUX: Final = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def main(folder: Path, lock: str = "serve", base: str = "") -> None:
    """lock: of requirements/, what the image installs. base: what it is built on, as NAME:TAG@sha256:DIGEST."""
    locked = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    bases = [base_image(base)] if base else []
    parts = [
        *packages(locked),
        *wheels(folder),
        *npm_packages(),
        *models(["*.onnx", "face_model.npz", MANIFEST]),
        *bases,
    ]
    image = Component(type=ComponentType.CONTAINER, name="mfn", version=__version__, bom_ref="mfn")
    (folder / "mfn.cdx.json").write_text(document(image, parts), encoding="utf-8")
    published = Component(
        type=ComponentType.MACHINE_LEARNING_MODEL, name="mfn-models", version=models_version(), bom_ref="mfn-models"
    )
    every = models(["*.onnx", "*.tflite", "*.npz", "weights/*.npz", MANIFEST])
    (folder / "models.cdx.json").write_text(document(published, every), encoding="utf-8")


def packages(lock: str) -> list[Component]:
    """What a lock file installs on Linux with the oldest Python that is supported, with the checksums of the files that
    each may come as."""
    components = []
    for entry in re.findall(r"^\w.*(?:\n +--hash.*)+", lock, re.MULTILINE):
        requirement = Requirement(entry.partition("\\")[0])
        if requirement.marker is not None and not requirement.marker.evaluate(LINUX):
            continue
        (pin,) = requirement.specifier
        address = PackageURL("pypi", name=requirement.name, version=pin.version)
        files = ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(str(address)),
            comment="installed from one of these files",
            hashes=[hash_of(digest) for digest in re.findall(r"sha256:(\w+)", entry)],
        )
        components.append(
            Component(
                name=requirement.name,
                version=pin.version,
                purl=address,
                bom_ref=str(address),
                external_references=[files],
            )
        )
    return components


def npm_packages(lock: Path = ROOT / "studio/package-lock.json") -> list[Component]:
    """What the Studio's page may be built from, as npm's lock file names it: what only its making needs is left out."""
    components = []
    for place, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        scope, _, name = place.rpartition("node_modules/")[2].rpartition("/")
        if not name or entry.get("dev") or entry.get("link") or scope == "@types":
            continue
        algorithm, _, digest = entry["integrity"].partition("-")
        address = PackageURL("npm", namespace=scope or None, name=name, version=entry["version"])
        components.append(
            Component(
                group=scope or None,
                name=name,
                version=entry["version"],
                purl=address,
                bom_ref=str(address),
                hashes=[HashType(alg=NPM_HASHES[algorithm], content=base64.b64decode(digest).hex())],
                licenses=[LicenseExpression(entry["license"])],
            )
        )
    return components


def wheels(folder: Path) -> list[Component]:
    """The server and the client, with the checksums of their wheels. Ends the program where one is missing."""
    components = []
    for name in DISTRIBUTIONS:
        path = folder / f"{name.replace('-', '_')}-{__version__}-py3-none-any.whl"
        if not path.is_file():
            raise SystemExit(f"{folder} does not hold {path.name}: run `make wheels` first.")
        address = PackageURL("pypi", name=name, version=__version__)
        components.append(
            Component(
                name=name,
                version=__version__,
                purl=address,
                bom_ref=str(address),
                hashes=[hash_of(sha256(path))],
                licenses=[LicenseExpression("Apache-2.0")],
            )
        )
    return components


def models(patterns: Iterable[str]) -> list[Component]:
    """Files of models/ that are part of the commit: networks and their weights as models, everything else as data."""
    names = git("ls-files", "-z", "--", *(f":(glob){pattern}" for pattern in patterns)).split("\0")
    card = ExternalReference(type=ExternalReferenceType.MODEL_CARD, url=XsUri("models/MODEL_CARD.md"))
    components = []
    for name in filter(None, names):
        network = name.endswith((".onnx", ".tflite")) or name.startswith("weights/")
        components.append(
            Component(
                type=ComponentType.MACHINE_LEARNING_MODEL if network else ComponentType.DATA,
                name=f"models/{name}",
                version=models_version(),
                bom_ref=f"models/{name}",
                hashes=[hash_of(sha256(MODELS / name))],
                licenses=[LicenseExpression("MIT" if name == "face_model.npz" else "Apache-2.0")],
                external_references=[card] if network else [],
            )
        )
    return components


def base_image(reference: str) -> Component:
    """reference: NAME:TAG@sha256:DIGEST. Ends the program where it is something else."""
    found = re.fullmatch(r"([^@]+):([\w.-]+)@sha256:([0-9a-f]{64})", reference)
    if found is None:
        raise SystemExit(f"{reference} names no image by its digest; expected NAME:TAG@sha256:DIGEST.")
    name, tag, digest = found.groups()
    return Component(
        type=ComponentType.CONTAINER, name=name, version=tag, bom_ref=f"{name}:{tag}", hashes=[hash_of(digest)]
    )


def document(subject: Component, parts: list[Component]) -> str:
    """A bill of materials as JSON, of the commit's time. Its serial number is made from all that it says."""
    bom = Bom(
        components=parts, metadata=BomMetaData(component=subject, timestamp=made()), serial_number=uuid.UUID(int=0)
    )
    bom.register_dependency(subject, parts)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, JsonV1Dot6(bom).output_as_string())
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def made() -> datetime:
    """SOURCE_DATE_EPOCH, where it is set, or when the commit was made; in UTC."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or git("show", "--no-patch", "--format=%ct", "HEAD")
    return datetime.fromtimestamp(int(seconds), UTC)


def models_version() -> str:
    """The version of the models in models/."""
    return read_manifest(MODELS / MANIFEST).version


def git(*arguments: str) -> str:
    """What git answers in this repository."""
    return subprocess.run(["git", *arguments], cwd=MODELS, capture_output=True, text=True, check=True).stdout


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hash_of(digest: str) -> HashType:
    """A checksum as CycloneDX has it, from hexadecimal digits of a sha256."""
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.sbom", description="Writes what image and models hold.")
    parser.add_argument("folder", type=Path, help="holds the wheels, and gets the bills of materials")
    parser.add_argument("--lock", choices=("serve", "telemetry"), default="serve", help="what the image installs")
    parser.add_argument("--base", default="", metavar="NAME:TAG@sha256:DIGEST", help="what the image is built on")
    options = parser.parse_args()
    main(options.folder, options.lock, options.base)
