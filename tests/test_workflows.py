"""The workflows are valid, leave nothing open, and run what is there.

check-jsonschema and zizmor stand in for actionlint, whose package on PyPI fetches its program from GitHub when it is
installed, past the lock and its hashes.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def contents(workflow: Path) -> Any:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))


def steps(workflow: Path) -> list[Any]:
    return [step for job in contents(workflow)["jobs"].values() for step in job["steps"]]


def commands(workflow: Path) -> str:
    return "\n".join(step.get("run", "") for step in steps(workflow))


def checked(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_are_those_that_we_have() -> None:
    assert [workflow.name for workflow in WORKFLOWS] == ["audit.yml", "ci.yml", "release.yml"]


def test_they_fit_the_schema() -> None:
    checked(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def test_no_weakness_is_found() -> None:
    checked(PROGRAMS / "zizmor", "--offline", "--quiet", "--no-progress", ".github")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_they_may_read_and_no_more(workflow: Path) -> None:
    document = contents(workflow)
    assert document["permissions"] == {"contents": "read"}
    assert not [job for job in document["jobs"].values() if "permissions" in job]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_actions_are_named_by_their_commit_and_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_clones_are_shallow(workflow: Path) -> None:
    clones = [step["with"] for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert clones
    assert {clone["fetch-depth"] for clone in clones} == {1}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_make_has_the_targets(workflow: Path) -> None:
    targets = " ".join(re.findall(r"^make (.+)$", commands(workflow), re.MULTILINE)).split()
    assert targets
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE), target


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_files_are_there(workflow: Path) -> None:
    found = re.findall(r"(?<![\w/.])(?:tests|service|deploy|requirements|tools)/[\w./*-]+|\bDockerfile\b",
                       workflow.read_text(encoding="utf-8"))  # fmt: skip
    for name in found:
        assert list(ROOT.glob(name)), name


def test_tests_run_on_every_supported_python_and_both_processors() -> None:
    matrix = contents(ROOT / ".github/workflows/ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert matrix["os"] == ["ubuntu-latest", "ubuntu-24.04-arm"]


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_the_image_is_built_on_a_digest(name: str) -> None:
    text = commands(ROOT / ".github/workflows" / name)
    assert "docker buildx imagetools inspect" in text
    assert '--build-arg BASE="$' in text
    assert '--build-arg BUILDER="$' in text
