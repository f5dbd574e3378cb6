"""What the wheels hold and ask for; `make try-wheels` installs them and serves a picture."""

import json
import shutil
import subprocess
import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import ZipFile

import pytest

import service

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (
    "LICENSE", "NOTICE", "README.md", "pyproject.toml", "service", "models", "clients/python", "training", "studio",
)  # fmt: skip
# What each way of serving needs of models/; what phones run and what training starts from stays in the repository.
SERVED = {"MODEL_CARD.md", "face_model.LICENSE", "face_model.npz", "manifest.json"}


class Wheel(NamedTuple):
    files: frozenset[PurePosixPath]
    metadata: Message

    def below(self, folder: str) -> set[str]:
        """Paths of the files in a folder, as seen from there."""
        return {str(file.relative_to(folder)) for file in self.files if file.is_relative_to(folder)}

    @property
    def packages(self) -> set[str]:
        """Top-level folders, but for the one that describes the wheel."""
        return {file.parts[0] for file in self.files} - {self.description}

    @property
    def description(self) -> str:
        return f"{self.metadata['Name'].replace('-', '_')}-{self.metadata['Version']}.dist-info"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wheel]:
    """By the distributions' names; built from a copy, as the build writes beside what it reads."""
    copy, dist = tmp_path_factory.mktemp("repository"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "*.tflite", "node_modules")
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, copy / name)
    for folder in ("clients/python", "."):
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
        command = [*build, "--outdir", str(dist), str(copy / folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return {wheel.metadata["Name"]: wheel for wheel in map(opened, dist.glob("*.whl"))}


def opened(path: Path) -> Wheel:
    with ZipFile(path) as archive:
        files = frozenset(map(PurePosixPath, archive.namelist()))
        (metadata,) = [file for file in files if file.match("*.dist-info/METADATA")]
        return Wheel(files, Parser().parsestr(archive.read(str(metadata)).decode()))


@pytest.fixture(scope="module")
def server(wheels: dict[str, Wheel]) -> Wheel:
    return wheels["mfn-retarget"]


@pytest.fixture(scope="module")
def client(wheels: dict[str, Wheel]) -> Wheel:
    return wheels["mfn-retarget-client"]


def test_there_are_two_of_one_version(wheels: dict[str, Wheel]) -> None:
    assert wheels.keys() == {"mfn-retarget", "mfn-retarget-client"}
    assert {wheel.metadata["Version"] for wheel in wheels.values()} == {service.__version__}


def test_no_file_is_in_both(server: Wheel, client: Wheel) -> None:
    assert server.packages == {"service"}
    assert client.packages == {"mfn", "mfn_client"}


def test_the_server_has_every_module(server: Wheel) -> None:
    """pyproject.toml names the packages: a new folder of service/ belongs there."""
    modules = {path.relative_to(ROOT / "service").as_posix() for path in (ROOT / "service").rglob("*.py")}
    assert {file for file in server.below("service") if not file.startswith(("models/", "studio/"))} == modules


def test_the_server_has_the_models_that_it_serves(server: Wheel) -> None:
    manifest = json.loads((ROOT / "models/manifest.json").read_text(encoding="utf-8"))
    networks = {
        network["forms"][f"{precision}.onnx"]["file"]
        for network in manifest["networks"].values()
        for precision in ("int8", "float32")
    }
    assert server.below("service/models") == SERVED | networks


def test_the_server_has_the_studio_and_not_what_makes_it(server: Wheel) -> None:
    folder = ROOT / "studio"
    built = {path for path in (folder / "dist").rglob("*") if path.is_file()}
    served = built | {
        *folder.glob("characters/*.glb"),
        *folder.glob("characters/LICENSE"),
        *folder.glob("film/faces.webm"),
    }
    assert server.below("service/studio") == {path.relative_to(folder).as_posix() for path in served}
    assert not {path.suffix for path in map(Path, server.below("service/studio"))} & {".py", ".ts", ".map"}


def test_the_client_has_the_contract_with_its_types(client: Wheel) -> None:
    folder = ROOT / "clients/python"
    contract = {"retarget_pb2.py", "retarget_pb2.pyi", "retarget_pb2_grpc.py"}
    assert client.below("mfn") == {f"v1/{name}" for name in contract}
    assert client.below("mfn_client") == {path.name for path in (folder / "mfn_client").iterdir() if path.is_file()}


def test_the_server_needs_the_client_and_nothing_of_its_makers(server: Wheel, client: Wheel) -> None:
    names = {line.split(">")[0].split(";")[0] for line in server.metadata.get_all("Requires-Dist", [])}
    assert "mfn-retarget-client" in names
    assert not names & {"build", "coverage", "mypy", "pytest", "ruff", "setuptools", "torch"}
    assert set(server.metadata.get_all("Provides-Extra", [])) == {"capture", "telemetry", "watch"}
    assert {line.split(">")[0] for line in client.metadata.get_all("Requires-Dist", [])} == {
        "grpcio",
        "numpy",
        "protobuf",
    }


def test_both_carry_their_license(server: Wheel, client: Wheel) -> None:
    assert server.below(f"{server.description}/licenses") == {"LICENSE", "NOTICE"}
    assert client.below(f"{client.description}/licenses") == {"LICENSE"}
    assert {wheel.metadata["License-Expression"] for wheel in (server, client)} == {"Apache-2.0"}
