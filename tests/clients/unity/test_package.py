"""What Unity's package manager finds in the package, and what stands in the service, too."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import service
from service.vision import gaze
from service.vision.arkit import ARKIT_NAMES
from tests.clients.unity.building import PACKAGE
from tests.docs.pages import ROOT
from tools import unity_meta

MANIFEST: Any = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
ASSEMBLIES: Any = {
    assembly["name"]: assembly
    for assembly in (json.loads(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.asmdef")))
}


def test_it_is_of_the_service_s_version() -> None:
    assert MANIFEST["version"] == service.__version__.replace(".dev", "-dev.")


def test_samples_are_where_it_says() -> None:
    for sample in MANIFEST["samples"]:
        assert list((PACKAGE / sample["path"]).glob("*.cs"))


def test_it_has_the_project_s_licence() -> None:
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_assemblies_refer_to_what_is_there() -> None:
    for assembly in ASSEMBLIES.values():
        assert set(assembly["references"]) <= ASSEMBLIES.keys()
    assert ASSEMBLIES["Mfn.Client"]["noEngineReferences"]


def test_the_client_knows_no_engine() -> None:
    for file in (PACKAGE / "Runtime/Client").glob("*.cs"):
        assert "UnityEngine" not in file.read_text(encoding="utf-8"), file


def test_every_file_has_its_meta_file() -> None:
    assert unity_meta.main(["--check"]) == 0, "run `python -m tools.unity_meta`"


def test_no_two_files_have_the_same_guid() -> None:
    metas = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.meta")]
    guids = Counter(re.findall(r"^guid: ([0-9a-f]{32})$", "".join(metas), re.MULTILINE))
    assert guids.total() == len(metas)
    assert set(guids.values()) == {1}


def test_a_meta_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "Runtime").mkdir()
    (tmp_path / "Samples~").mkdir()
    (tmp_path / "Runtime/A.cs").touch()
    (tmp_path / "Samples~/B.cs").touch()
    (tmp_path / "Runtime/Gone.cs.meta").touch()
    assert unity_meta.main(["--check"], tmp_path) == 1
    assert unity_meta.main([], tmp_path) == 0
    assert unity_meta.main(["--check"], tmp_path) == 0
    assert {path.name for path in tmp_path.rglob("*.meta")} == {"Runtime.meta", "A.cs.meta"}
    assert "folderAsset: yes" in (tmp_path / "Runtime.meta").read_text()
    (tmp_path / "Runtime/A.cs.meta").write_text("mine")
    assert unity_meta.main([], tmp_path) == 0
    assert (tmp_path / "Runtime/A.cs.meta").read_text() == "mine"


def code(file: str) -> str:
    return (PACKAGE / "Runtime/Client" / file).read_text(encoding="utf-8")


def test_names_and_degrees_are_the_service_s() -> None:
    assert tuple(re.findall(r'"([a-z]\w+)"', code("ArkitNames.cs"))) == ARKIT_NAMES
    degrees = re.findall(r"const float (\w+) = ([\d.]+)f;", code("Gaze.cs"))
    assert {name: float(value) for name, value in degrees} == {
        "Down": gaze.DOWN_DEGREES,
        "Up": gaze.UP_DEGREES,
        "Out": gaze.OUT_DEGREES,
        "In": gaze.IN_DEGREES,
    }
