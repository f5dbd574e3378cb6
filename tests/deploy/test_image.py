"""What the Dockerfile copies is enough to serve; deploy/build-offline builds and tries the whole of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# As the Dockerfile removes them from the packages; a module of theirs that is loaded would be missing.
PROGRAM = """
import os, re, sys
from service.cli.main import main
for os.environ["MFN_PRECISION"] in ("int8", "float32"):
    assert main(sys.argv[1:]) == 0
removed = r"/tests/|/onnxruntime/(backend|datasets|quantization|tools|transformers)/|/site-packages/(setuptools|pip)/"
files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
print(*[file for file in files if re.search(removed, file)], file=sys.stderr)
with open("/proc/self/maps", encoding="utf-8") as maps:
    print(*{line.split()[-1] for line in maps if "libonnxruntime.so" in line}, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheels hold that are made of what the Dockerfile copies, as in the image's site-packages."""
    source, wheels = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        name, *words = line.split() or [""]
        if name != "COPY" or words[0].startswith("--") or words[-1].startswith("/"):
            continue
        *patterns, target = words
        for path in (path for pattern in patterns for path in ROOT.glob(pattern)):
            if path.is_dir():
                shutil.copytree(path, source / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (source / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, source / target)
    for folder in (source / "clients/python", source):
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path_factory.mktemp("site-packages")
    for wheel in wheels.iterdir():
        shutil.unpack_archive(wheel, folder, "zip")
    return folder


def test_of_the_models_those_that_are_served(installed: Path) -> None:
    models = installed / "service/models"
    manifest = json.loads((models / "manifest.json").read_text(encoding="utf-8"))
    networks = {
        network["forms"][f"{precision}.onnx"]["file"]
        for network in manifest["networks"].values()
        for precision in ("int8", "float32")
    }
    papers = {"MODEL_CARD.md", "face_model.LICENSE", "manifest.json"}
    assert {path.name for path in models.iterdir()} == networks | papers | {manifest["face_model"]["file"]}
    packages = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert packages == {"service", "mfn", "mfn_client"}


@pytest.mark.skipif(sys.platform != "linux", reason="the image is for Linux, and /proc tells what is loaded")
def test_it_needs_nothing_else_of_this_folder(installed: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": os.defpath, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "retarget", "--json", "--refine", ROOT / "tests/pictures/one_face.jpg"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == []
    assert [len(json.loads(line)["faces"]) for line in done.stdout.splitlines()] == [1, 1]


def test_shellcheck_finds_nothing_in_the_script() -> None:
    program = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([program, ROOT / "deploy/build-offline"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
