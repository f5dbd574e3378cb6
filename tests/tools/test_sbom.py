import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from service import __version__
from tools import sbom

ROOT = Path(__file__).resolve().parents[2]
HASH = "0" * 64


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("dist")
    sbom.main(folder / "new")
    text = (folder / "new/mfn.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return json.loads(text)


def test_it_is_of_this_version(bill: Any) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"]) == ("mfn", __version__)


def test_it_names_every_package_that_is_installed(bill: Any) -> None:
    named = {
        component["name"]: component["version"] for component in bill["components"] if component["type"] == "library"
    }
    locked = (ROOT / "requirements/serve.txt").read_text(encoding="utf-8")
    assert named.pop("mfn-retarget-client") == __version__
    lines = [line for line in locked.splitlines() if re.match(r"\w", line) and "sys_platform == 'win32'" not in line]
    assert named.keys() == {line.partition("==")[0] for line in lines}
    assert {f"{name}=={version}" for name, version in named.items()} <= {line.split()[0] for line in lines}


def test_models_have_the_checksums_of_the_files(bill: Any) -> None:
    models = {c["name"]: c["hashes"] for c in bill["components"] if c["type"] == "machine-learning-model"}
    assert models.keys() == {
        path.name for pattern in ("*.onnx", "face_model.npz") for path in (ROOT / "models").glob(pattern)
    }
    for name, hashes in models.items():
        assert hashes == [
            {"alg": "SHA-256", "content": hashlib.sha256((ROOT / "models" / name).read_bytes()).hexdigest()}
        ]


def test_what_other_systems_need_is_left_out() -> None:
    lock = f"""# made by a program
a==1 \\
    --hash=sha256:{HASH} \\
    --hash=sha256:{HASH}
    # via b
b==2 ; sys_platform == 'win32' \\
    --hash=sha256:{HASH}
c==3 ; python_full_version < '3.12' \\
    --hash=sha256:{HASH}
"""
    assert [line.split()[0] for line in sbom.installed_on_linux(lock).splitlines()] == ["a==1", "c==3"]
