"""Writes what the models and the wheels were made from: `python -m tools.provenance FOLDER`, after `make wheels`.

FOLDER gets two in-toto statements with SLSA's provenance (https://slsa.dev/spec/v1.0/provenance), unsigned:
models.intoto.json of the files that models/manifest.json names, and release.intoto.json of the wheels in FOLDER and,
where its digest is said, of the image. Both name the commit, so there must be one: a tree with changes is refused.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from service import __version__

ROOT: Final = Path(__file__).resolve().parent.parent
MODELS: Final = ROOT / "models"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PROVENANCE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:mfn:make"  # externalParameters names the target
# What goes into the forms of the networks beside the weights: see training/export.
MODEL_INPUTS: Final = ("calibration.npz", "face_model.npz", "weights/mfn.npz", "weights/sfn.npz")
MODEL_LOCK: Final = "requirements/training.txt"
RELEASE_INPUTS: Final = (
    "Dockerfile",
    "models/manifest.json",
    "models/weights/mfn.npz",
    "models/weights/sfn.npz",
    "requirements/build.txt",
    "requirements/serve.txt",
    "requirements/telemetry.txt",
)

Named = dict[str, Any]  # a resource as in-toto describes it: name or uri, and digest


def main(folder: Path, image: str = "", base: str = "") -> None:
    """image: what was built, base: what it was built on; both as NAME@sha256:DIGEST."""
    folder.mkdir(parents=True, exist_ok=True)
    commit = committed()
    inputs = [commit, *files(MODELS, MODEL_INPUTS), *files(ROOT, (MODEL_LOCK,))]
    write(folder / "models.intoto.json", statement(published_models(), "models", inputs))
    wheels = [resource(path.name, sha256(path)) for path in sorted(folder.glob("*.whl"))]
    if not wheels:
        raise SystemExit(f"{folder} holds no wheels: run `make wheels` first.")
    subjects = [*wheels, *([image_of(image)] if image else [])]
    bases = [image_of(base)] if base else []
    inputs = [commit, *files(ROOT, RELEASE_INPUTS), *bases]
    write(folder / "release.intoto.json", statement(subjects, "wheels", inputs))


def committed() -> Named:
    """The commit that is checked out."""
    if git("status", "--porcelain", "--untracked-files=no"):
        raise SystemExit("There are changes that are not committed: commit them, so that the statement can name them.")
    source = os.environ.get("SOURCE", "git+file:.")
    return {"uri": source, "digest": {"gitCommit": git("rev-parse", "HEAD")}}


def git(*arguments: str) -> str:
    """What git answers in this repository."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def resource(name: str, digest: str) -> Named:
    """A resource descriptor of in-toto, from a name and a sha256."""
    return {"name": name, "digest": {"sha256": digest}}


def files(folder: Path, names: tuple[str, ...]) -> list[Named]:
    """Descriptors of files in a folder."""
    return [resource(name, sha256(folder / name)) for name in names]


def published_models(folder: Path = MODELS) -> list[Named]:
    """The files that the manifest names and that are part of the repository, each of which must be as it says."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    networks = manifest["networks"].values()
    named = [manifest["face_model"], *(form for network in networks for form in network["forms"].values())]
    for file in named:
        path = folder / file["file"]
        if path.exists() and sha256(path) != file["sha256"]:
            raise SystemExit(f"{path} is not the file of the manifest: its sha256 is another.")
    return [resource(file["file"], file["sha256"]) for file in named if (folder / file["file"]).exists()]


def image_of(reference: str) -> Named:
    """reference: an image's name and digest, as NAME@sha256:DIGEST."""
    name, _, digest = reference.partition("@sha256:")
    if len(digest) != hashlib.sha256().digest_size * 2:
        raise SystemExit(f"{reference} names no image by its digest; expected NAME@sha256:DIGEST.")
    return resource(name, digest)


def statement(subjects: list[Named], target: str, inputs: list[Named]) -> dict[str, Any]:
    """target: of make, which made the subjects from the inputs."""
    return {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"target": target, "version": __version__},
                "internalParameters": {"python": sys.version.split()[0]},
                "resolvedDependencies": inputs,
            },
            "runDetails": {
                "builder": {"id": os.environ.get("BUILDER_ID", "urn:mfn:a-developers-machine")},
                "metadata": {"finishedOn": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
        },
    }


def write(path: Path, document: dict[str, Any]) -> None:
    """Writes a document as JSON."""
    path.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tools.provenance", description="Writes what a release is made from."
    )
    parser.add_argument("folder", type=Path, help="holds the wheels, and gets the statements")
    parser.add_argument("--image", default="", metavar="NAME@sha256:DIGEST", help="the image that was built")
    parser.add_argument("--base", default="", metavar="NAME@sha256:DIGEST", help="what the image was built on")
    options = parser.parse_args()
    main(options.folder, options.image, options.base)
