"""What the Dockerfile copies is enough to serve; deploy/build-offline builds and tries the whole of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("service", "mfn", "models")
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
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/app of the image."""
    folder = tmp_path_factory.mktemp("app")
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        name, *words = line.split() or [""]
        if name != "COPY" or words[0].startswith("--") or words[-1].startswith("/"):
            continue
        *sources, target = words
        for source in (path for pattern in sources for path in ROOT.glob(pattern)):
            if source.is_dir():
                shutil.copytree(source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (folder / target).mkdir(exist_ok=True)
                shutil.copy(source, folder / target)
    return folder


def test_of_the_models_those_that_are_served(app: Path) -> None:
    manifest = json.loads((app / "models/manifest.json").read_text(encoding="utf-8"))
    networks = {
        network["forms"][f"{precision}.onnx"]["file"]
        for network in manifest["networks"].values()
        for precision in ("int8", "float32")
    }
    papers = {"MODEL_CARD.md", "face_model.LICENSE", "manifest.json"}
    assert {path.name for path in (app / "models").iterdir()} == networks | papers | {manifest["face_model"]["file"]}
    assert {path.name for path in app.iterdir()} == {*PRODUCT, "LICENSE", "NOTICE"}


@pytest.mark.skipif(sys.platform != "linux", reason="the image is for Linux, and /proc tells what is loaded")
def test_it_needs_nothing_else_of_this_folder(app: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.defpath, "PYTHONPATH": str(app), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
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
